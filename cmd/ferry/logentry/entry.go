package logentry

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// bodyMax is how much of a message's body is printed.
const bodyMax = 64

// Of translates an entry of the log. One that is Raft's own (the first of a
// term, a change of members) has no commands.
func Of(l *raft.Log) (history.Entry, error) {
	e := history.Entry{Index: l.Index, Term: l.Term}
	if l.Type != raft.LogCommand {
		return e, nil
	}
	if e.Void = cluster.Void(l); e.Void && len(l.Data) == 0 {
		return e, nil // one that only moves the end of the log
	}
	head, commands, err := fsm.DecodeEntry(l.Data)
	if err != nil {
		return e, fmt.Errorf("entry %d: %w", l.Index, err)
	}
	e.WallMillis, e.LeaseMillis = head.Clock.WallMillis, head.Clock.LeaseMillis
	for _, x := range commands {
		e.Commands = append(e.Commands, command(x))
	}
	return e, nil
}

var kinds = map[fsm.Kind]string{
	fsm.KindLeader: "leader", fsm.KindDetachNode: "detachnode", fsm.KindOpen: "open", fsm.KindAttach: "attach",
	fsm.KindDetach: "detach", fsm.KindEnd: "end", fsm.KindPublish: "publish", fsm.KindSettle: "settle",
	fsm.KindConsume: "consume", fsm.KindCancel: "cancel", fsm.KindCredit: "credit",
	fsm.KindQueueCreate: "queuecreate", fsm.KindQueueUpdate: "queueupdate", fsm.KindQueueDelete: "queuedelete",
	fsm.KindQueuePurge: "queuepurge", fsm.KindQueuePause: "queuepause",
	fsm.KindVersion: "version", fsm.KindCheckpoint: "checkpoint",
}

func command(x fsm.Command) (c history.Command) {
	switch x := x.(type) {
	case *fsm.Leader:
		c.Node = x.Node
	case *fsm.DetachNode:
		c.Node = x.Node
	case *fsm.Open:
		c.Session, c.IdleMillis = id(x.Session), x.IdleExpiryMillis
	case *fsm.Attach:
		c.Session, c.Epoch, c.Node, c.Resume, c.Tokens = id(x.Session), x.Epoch, x.Node, x.Resume, x.Tokens
	case *fsm.Detach:
		c.Session, c.Epoch, c.Node, c.Cause = id(x.Session), x.Epoch, x.Node, cause(x.Cause)
	case *fsm.End:
		c.Session, c.Epoch = id(x.Session), x.Epoch
	case *fsm.Publish:
		c = numbered(&x.OpHeader)
		c.Queue = x.Queue
		messages(&c, x)
	case *fsm.Settle:
		c = numbered(&x.OpHeader)
		c.Items = items(x.Items)
	case *fsm.Consume:
		c = numbered(&x.OpHeader)
		c.Consumer, c.Queue, c.NoAck, c.LeaseMillis = x.Consumer, x.Queue, x.NoAck, x.LeaseMillis
		c.CreditMessages, c.CreditBytes, c.Concurrency = x.CreditMessages, x.CreditBytes, x.Concurrency
	case *fsm.Cancel:
		c = numbered(&x.OpHeader)
		c.Consumer, c.Return = x.Consumer, x.Return
	case *fsm.Credit:
		c.Session, c.Epoch, c.Consumer, c.Through = id(x.Session), x.Epoch, x.Consumer, x.Through
	default:
		c = administration(x)
	}
	c.Kind = kinds[x.Kind()]
	return c
}

func administration(x fsm.Command) (c history.Command) {
	switch x := x.(type) {
	case *fsm.QueueCreate:
		c = numbered(&x.OpHeader)
		c.Queue, c.Settings = x.Queue, settings(x.Settings)
	case *fsm.QueueUpdate:
		c = numbered(&x.OpHeader)
		c.Queue, c.Settings = x.Queue, settings(x.Settings)
	case *fsm.QueueDelete:
		c = numbered(&x.OpHeader)
		c.Queue, c.IfEmpty, c.IfUnused = x.Queue, x.IfEmpty, x.IfUnused
	case *fsm.QueuePurge:
		c = numbered(&x.OpHeader)
		c.Queue = x.Queue
	case *fsm.QueuePause:
		c = numbered(&x.OpHeader)
		c.Queue, c.Paused = x.Queue, x.Paused
	}
	return c
}

func id(s fsm.SessionID) string { return hex.EncodeToString(s[:]) }

func numbered(h *fsm.OpHeader) history.Command {
	return history.Command{Session: id(h.Session), Epoch: h.Epoch, Number: h.Number,
		AnsweredThrough: h.AnsweredThrough, Ordered: h.Ordered, Predecessor: h.Predecessor}
}

// messages reads the records. One that the state machine refuses, because it
// is malformed or asks for what is not supported yet, is printed without a
// body and with the size -1.
func messages(c *history.Command, x *fsm.Publish) {
	cursor := wire.NewCursor(x.Records)
	for range x.Count {
		body, size := message(cursor.Bytes())
		if cursor.Err() != nil {
			break
		}
		c.Bodies, c.Sizes = append(c.Bodies, body), append(c.Sizes, size)
	}
	if cursor.Done() == nil {
		return
	}
	// Refused as a whole.
	for i := range c.Bodies {
		c.Bodies[i], c.Sizes[i] = "", -1
	}
}

func message(b []byte) (body string, size int) {
	var info record.Info
	if err := info.Peek(b); err != nil {
		return "", -1
	}
	v, err := record.Parse(b)
	if err != nil {
		return "", info.Logical
	}
	head := v.Body()
	head = head[:min(len(head), bodyMax)]
	return strings.ToValidUTF8(string(head), "\uFFFD"), info.Logical
}

func items(all []fsm.SettleItem) []history.Item {
	actions := [...]string{fsm.ActionAck: "ack", fsm.ActionNack: "nack", fsm.ActionReject: "reject", fsm.ActionExtend: "extend"}
	reasons := [...]string{fsm.ReasonMessage: "message", fsm.ReasonDownstream: "downstream", fsm.ReasonShutdown: "shutdown"}
	out := make([]history.Item, len(all))
	for i, s := range all {
		out[i] = history.Item{Incarnation: s.Incarnation, Place: s.Place, Token: s.Token,
			Action: named(actions[:], uint8(s.Action)), Reason: named(reasons[:], uint8(s.Reason))}
	}
	return out
}

func cause(c fsm.DetachCause) string {
	return named([]string{fsm.DetachConnection: "connection", fsm.DetachNodeLost: "node"}, uint8(c))
}

// named is the name of a number, "" for 0, the number itself if it has none.
func named(names []string, n uint8) string {
	if int(n) < len(names) {
		return names[n]
	}
	return strconv.Itoa(int(n))
}

func settings(s fsm.Settings) *history.Settings {
	return &history.Settings{MaxMessages: s.MaxMessages, MaxBytes: s.MaxBytes, FailureLimit: s.FailureLimit,
		LeaseMillis: s.LeaseMillis, DLQMessages: s.DLQMessages, DLQBytes: s.DLQBytes}
}
