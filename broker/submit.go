package broker

import (
	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// forwardedTimes is how many times SubmitQueueBytes a leader takes from other
// nodes before it refuses publishes, and commits that may store more than they
// let go: they bound what they send by ForwardBytes. Everything else is let
// through; it makes room, and nobody tries it again.
const forwardedTimes = 4

// takeSubmit queues the commands that another node forwarded for a group that
// this node leads. It never waits for room: the link carries results as well.
func (p *peer) takeSubmit(payload []byte) error {
	var s transport.PeerSubmit
	if err := s.Decode(payload); err != nil {
		return err
	}
	l := p.b.lanes[s.Group]
	if l == nil {
		return transport.Errorf(transport.CodeNotFound, "group %d", s.Group)
	}
	g := newGrouping(l)
	growing := l.growing(&s)
	number := s.First
	now := p.b.now()
	c := wire.NewCursor(s.Commands)
	l.mu.Lock()
	for i := range int(s.Count) {
		from := c.Offset()
		content := c.Bytes()
		if c.Err() != nil || len(content) == 0 || !fromClient(fsm.Kind(content[0])) {
			break // Decode has seen binaries; what is in them is another node's fault
		}
		o := op{peer: p, number: number, kind: fsm.Kind(content[0]), since: now}
		number++
		command := s.Commands[from:c.Offset()]
		needsRoom := func() bool {
			if i < len(growing) {
				return growing[i]
			}
			_, may := grows(o.kind, command)
			return may
		}
		if r, refused := l.refusePeer(&o, needsRoom); refused {
			g.peerResult(&o, r)
			continue
		}
		l.queue.add(o, func(b []byte) []byte { return append(b, command...) })
	}
	l.mu.Unlock()
	l.signal()
	g.flush()
	if int(number-s.First) != int(s.Count) {
		return transport.Errorf(transport.CodeMalformed, "command %d of %d", number-s.First, s.Count)
	}
	return nil
}

// fromClient says whether a command may come from another node: those that
// stand for a client's request or the end of its connection.
func fromClient(k fsm.Kind) bool {
	return k >= fsm.KindOpen && k <= fsm.KindQueuePause || k >= fsm.KindCommit && k <= fsm.KindAwait
}

// refusePeer says whether a forwarded command, which may need room, cannot be
// taken. The caller holds l.mu.
func (l *lane) refusePeer(o *op, needsRoom func() bool) (transport.Result, bool) {
	if l.mode != modeLead || o.number>>generationShift < l.refused[o.peer] {
		l.refused[o.peer] = max(l.refused[o.peer], o.number>>generationShift+1)
		return refusal(transport.CodeNotLeader, ""), true
	}
	if r, pressed := l.pressed(); pressed && needsRoom() {
		return r, true
	}
	if l.queue.bytes > forwardedTimes*l.b.o.SubmitQueueBytes && needsRoom() {
		r := refusal(transport.CodeBusy, "the leader's queue is full")
		r.Cause = transport.CauseOutbox
		return r, true
	}
	return transport.Result{}, false
}
