package logentry

import (
	"encoding/hex"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

var kinds = map[fsm.Kind]string{
	fsm.KindLeader: "leader", fsm.KindDetachNode: "detachnode", fsm.KindOpen: "open", fsm.KindAttach: "attach",
	fsm.KindDetach: "detach", fsm.KindEnd: "end", fsm.KindPublish: "publish", fsm.KindSettle: "settle",
	fsm.KindConsume: "consume", fsm.KindCancel: "cancel", fsm.KindCredit: "credit",
	fsm.KindQueueCreate: "queuecreate", fsm.KindQueueUpdate: "queueupdate", fsm.KindQueueDelete: "queuedelete",
	fsm.KindQueuePurge: "queuepurge", fsm.KindQueuePause: "queuepause",
	fsm.KindVersion: "version", fsm.KindCheckpoint: "checkpoint",
	fsm.KindCommit: "commit", fsm.KindAmend: "amend", fsm.KindBreaker: "breaker", fsm.KindGroupResume: "groupresume",
	fsm.KindTenantWeight: "tenantweight", fsm.KindTopicCreate: "topiccreate", fsm.KindTopicDelete: "topicdelete",
	fsm.KindSubscribe: "subscribe", fsm.KindRequest: "request", fsm.KindReply: "reply", fsm.KindAwait: "await",
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
	case *fsm.Credit:
		c.Session, c.Epoch, c.Consumer, c.Through = id(x.Session), x.Epoch, x.Consumer, x.Through
	case *fsm.Await:
		c.Session, c.Epoch, c.Number = id(x.Session), x.Epoch, x.Number
	case *fsm.SetVersion:
		c.Version = uint16(x.Version)
	default:
		c = traffic(x)
	}
	c.Kind = kinds[x.Kind()]
	return c
}

// traffic is what clients publish, take and settle.
func traffic(x fsm.Command) (c history.Command) {
	switch x := x.(type) {
	case *fsm.Publish:
		c = numbered(&x.OpHeader)
		c.Queue, c.Messages = x.Queue, messages(x.Records, x.Count)
	case *fsm.Settle:
		c = numbered(&x.OpHeader)
		c.Items = items(x.Items)
	case *fsm.Commit:
		c = numbered(&x.OpHeader)
		c.Items = items(x.Settles)
		for _, p := range x.Publishes {
			c.Publishes = append(c.Publishes, history.Publishing{Queue: p.Queue, Messages: messages(p.Records, p.Count)})
		}
	case *fsm.Request:
		c = numbered(&x.OpHeader)
		c.Queue, c.NoRetry, c.Taken, c.Messages = x.Queue, x.NoRetry, x.Taken, messages(x.Records, 1)
	case *fsm.Reply:
		c = numbered(&x.OpHeader)
		c.Items = []history.Item{{Incarnation: x.Incarnation, Place: x.Place, Token: x.Token, Action: "reply"}}
		c.Messages = messages(x.Records, 1)
	case *fsm.Consume:
		c = numbered(&x.OpHeader)
		c.Consumer, c.Queue, c.NoAck, c.LeaseMillis = x.Consumer, x.Queue, x.NoAck, x.LeaseMillis
		c.CreditMessages, c.CreditBytes, c.Concurrency = x.CreditMessages, x.CreditBytes, x.Concurrency
	case *fsm.Cancel:
		c = numbered(&x.OpHeader)
		c.Consumer, c.Return = x.Consumer, x.Return
	default:
		c = administration(x)
	}
	return c
}

func id(s fsm.SessionID) string { return hex.EncodeToString(s[:]) }

func numbered(h *fsm.OpHeader) history.Command {
	return history.Command{Session: id(h.Session), Epoch: h.Epoch, Number: h.Number,
		AnsweredThrough: h.AnsweredThrough, Ordered: h.Ordered, Predecessor: h.Predecessor}
}
