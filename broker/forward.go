package broker

import (
	"cmp"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// Commands that this node forwards to a group's leader are numbered, so that
// results find their way back. A number is a generation and a count: the
// leader, once it failed one, refuses everything else of that generation, and
// this node begins a new one when it learns of the failure. So nothing that
// was already on the way can overtake what failed.
const (
	generationShift = 40
	submitHead      = 64 // bytes of a PeerSubmit around its commands, about
)

// forwarded are the commands at the leader, in the order they were sent.
type forwarded struct {
	ops   []op
	head  int // index of the first that is unanswered
	bytes int
	next  uint64 // number of the next command
}

func (f *forwarded) add(ops []op) (first uint64) {
	first = f.next
	for _, o := range ops {
		o.number = f.next
		f.next++
		f.bytes += int(o.bytes)
		f.ops = append(f.ops, o)
	}
	return first
}

// take takes the command that a result answers.
func (f *forwarded) take(r *transport.PeerResult) (o op, skipped []op, ok bool) {
	if r.Result.Code == transport.CodeBusy && r.Result.Index == 0 {
		o, ok = f.refused(r.Number)
		return o, nil, ok
	}
	return f.answered(r.Number)
}

// answered takes the command with this number and, since the leader answers
// in order, those before it, whose answers will not come any more.
func (f *forwarded) answered(number uint64) (o op, skipped []op, ok bool) {
	start := f.head
	for f.head < len(f.ops) && f.ops[f.head].number < number {
		f.bytes -= int(f.ops[f.head].bytes)
		f.head++
	}
	skipped = withoutGone(f.ops[start:f.head])
	if f.head < len(f.ops) && f.ops[f.head].number == number && !f.ops[f.head].gone {
		o, ok = f.ops[f.head], true
		f.bytes -= int(o.bytes)
		f.ops[f.head] = op{}
		f.head++
	}
	f.compact()
	return o, skipped, ok
}

// refused takes a command that the leader did not queue: it says so at once,
// ahead of the answers to what came before.
func (f *forwarded) refused(number uint64) (o op, ok bool) {
	ops := f.ops[f.head:]
	i, found := slices.BinarySearchFunc(ops, number, func(o op, n uint64) int { return cmp.Compare(o.number, n) })
	if !found || ops[i].gone {
		return op{}, false
	}
	o = ops[i]
	f.bytes -= int(o.bytes)
	ops[i] = op{number: number, gone: true}
	for f.head < len(f.ops) && f.ops[f.head].gone {
		f.head++
	}
	f.compact()
	return o, true
}

func withoutGone(ops []op) []op {
	return slices.DeleteFunc(slices.Clone(ops), func(o op) bool { return o.gone })
}

// compact keeps the slice from growing for ever, at a constant cost for each command.
func (f *forwarded) compact() {
	if f.head < 256 || f.head*2 < len(f.ops) {
		return
	}
	n := copy(f.ops, f.ops[f.head:])
	clear(f.ops[n:])
	f.ops, f.head = f.ops[:n], 0
}

func (f *forwarded) takeAll() []op {
	all := withoutGone(f.ops[f.head:])
	f.ops, f.head, f.bytes = nil, 0, 0
	return all
}

// renew begins a new generation.
func (f *forwarded) renew() {
	f.next = (f.next>>generationShift + 1) << generationShift
}

// nextSubmit takes the batch to forward now. The caller holds l.mu.
func (l *lane) nextSubmit() (b *batch, first uint64, wait time.Duration) {
	if l.sent.bytes >= l.b.o.ForwardBytes {
		return nil, 0, idleWake // an answer wakes the runner
	}
	if left := l.holdTill - l.b.now(); left > 0 {
		return nil, 0, time.Duration(left)
	}
	l.requeueOwed()
	if b = l.queue.take(); b == nil {
		return nil, 0, idleWake
	}
	l.roomMade()
	return b, l.sent.add(b.ops), 0
}

// forward sends a batch to the leader. It blocks while the link's outbox is
// full; so the lane's queue fills, and connections are not read.
func (l *lane) forward(leader string, b *batch, first uint64) {
	s := transport.PeerSubmit{Group: l.id, First: first, Count: uint32(len(b.ops)), Commands: b.commands}
	frame := transport.Frame{Op: transport.OpPeerSubmit, Payload: s.AppendTo(make([]byte, 0, len(s.Commands)+submitHead))}
	l.mu.Lock()
	l.queue.recycle(b) // its operations are in sent, its commands in the frame
	l.mu.Unlock()
	if err := l.b.o.Peers.Send(l.b.ctx, leader, frame); err != nil {
		l.b.log.Debug("commands not forwarded", "group", l.id, "leader", leader, "err", err)
		l.lostLeader(leader)
	}
}

// lostLeader fails what is at the leader or queued for it: the link is gone.
func (l *lane) lostLeader(leader string) {
	l.mu.Lock()
	if l.mode != modeForward || l.info.Leader != leader {
		l.mu.Unlock()
		return
	}
	sent := l.failSent()
	queued := l.failQueue(transport.CodeNoLeader)
	// Until the end of the link is told, this node's own commands would be
	// sent, and fail, again and again.
	l.holdTill = l.b.now() + holdNanos
	l.mu.Unlock()
	l.tell(sent)
	l.tell(queued)
}

// failSent gives up on all that was sent to the leader. The caller holds l.mu
// and tells the failure.
func (l *lane) failSent() failure {
	f := failure{code: transport.CodeUnknownOutcome, ops: l.sent.takeAll()}
	l.sent.renew()
	l.breakHandles(f.ops)
	l.keepOwed(f.ops)
	return f
}
