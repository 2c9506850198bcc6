package broker

import (
	"errors"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// collect is the lane's collector: it waits for the entries in their order
// and hands out what each did.
func (l *lane) collect() {
	g := newGrouping(l)
	for p := range l.proposals {
		applied, err := p.wait()
		if err == nil && p.batch != nil && len(applied.Results) != len(p.batch.ops) {
			l.b.log.Error("entry and results differ", "group", l.id, "index", applied.Index,
				"commands", len(p.batch.ops), "results", len(applied.Results))
			err = transport.Errorf(transport.CodeUnknownOutcome, "results do not match the commands")
		}
		if err != nil {
			l.failEntry(p.batch, err)
			continue
		}
		l.b.metrics.commit.Observe(float64(l.b.now()-p.since) / 1e9)
		if p.batch != nil {
			l.answerEntry(g, p.batch, applied.Results)
		}
		g.effects(applied.Effects)
		// Before anybody is told: who acts on an answer must meet what it left
		// behind, not the figures of the entry before.
		l.entryDone(p.batch)
		g.flush()
	}
}

// answerEntry files the results of an entry by whom they are for, and binds
// the sessions that it attached.
func (l *lane) answerEntry(g *grouping, b *batch, results []fsm.Result) {
	now := l.b.now()
	for i := range b.ops {
		o := &b.ops[i]
		r := resultOf(&results[i])
		l.b.metrics.judged(o, &r, now)
		switch {
		case o.peer != nil:
			g.peerResult(o, r)
		case o.conn != nil:
			l.judgedHere(o, &r)
			g.result(o, r)
		}
	}
}

// judgedHere does what a verdict means for a session that is attached, or was
// to be, through a connection of this node.
func (l *lane) judgedHere(o *op, r *transport.Result) {
	if o.handle == nil || r.Code != transport.CodeOK {
		return
	}
	switch o.kind {
	case fsm.KindAttach:
		l.sessions.bind(o.handle)
	case fsm.KindEnd:
		o.handle.ended.Store(true)
		l.sessions.unbind(o.handle)
	}
}

// entryDone lets the next entry go and looks at what the state waits for and
// holds.
func (l *lane) entryDone(b *batch) {
	var next clockState
	var bytes int64
	l.group.View(func(s *fsm.State) {
		next.at = s.Clock()
		next.deadline, next.due = s.NextDeadline()
		next.needs = s.NeedsClock()
		bytes = int64(s.Bytes())
	})
	now := l.group.Now()
	l.mu.Lock()
	l.inFlight--
	l.clock.lateness(next.at, now, l.b.metrics.late)
	l.clock.take(next, b == nil, l.b.now())
	l.bodyBytes = bytes
	if b != nil {
		l.queue.recycle(b)
	}
	l.mu.Unlock()
	l.signal()
}

// failure is a run of commands that never reached the state machine, or of
// which that is not known.
type failure struct {
	code transport.Code
	ops  []op
}

// failEntry ends a proposal that failed and, in their order, the commands
// queued behind it: they must not overtake it.
func (l *lane) failEntry(b *batch, err error) {
	code := transport.CodeUnknownOutcome
	var e *transport.Error
	if errors.As(err, &e) && e.Code != transport.CodeOK {
		code = e.Code
	}
	if code == transport.CodeBusy {
		// The log took nothing and the leadership ends. That is no verdict on
		// the operations: only a publish is tried again by whoever asked for it.
		code = transport.CodeNotLeader
	}
	l.b.log.Debug("entry failed", "group", l.id, "err", err)
	first := failure{code: code}
	if b != nil {
		first.ops = b.ops
	}
	l.mu.Lock()
	l.inFlight--
	l.holdTill = l.b.now() + holdNanos
	l.breakHandles(first.ops)
	queued := l.failQueue(transport.CodeNotLeader)
	l.keepOwed(first.ops)
	l.mu.Unlock()
	l.tell(first)
	l.tell(queued)
	l.signal()
}

// failQueue empties the queue. The caller holds l.mu and tells the failure.
func (l *lane) failQueue(code transport.Code) failure {
	f := failure{code: code}
	for _, b := range l.queue.takeAll() {
		f.ops = append(f.ops, b.ops...)
	}
	l.breakHandles(f.ops)
	l.keepOwed(f.ops)
	l.roomMade()
	return f
}

// breakHandles refuses what comes behind failed operations, until their
// clients attach again. The caller holds l.mu.
func (l *lane) breakHandles(ops []op) {
	for i := range ops {
		o := &ops[i]
		switch {
		case o.handle != nil:
			o.handle.broken = true
		case o.peer != nil:
			l.refused[o.peer] = max(l.refused[o.peer], o.number>>generationShift+1)
		}
	}
}

// keepOwed keeps the broker's own commands for another try. That a node's
// link was lost goes first: it must be judged before what the node's new link
// brings. The caller holds l.mu.
func (l *lane) keepOwed(ops []op) {
	for i := range ops {
		again := ops[i].again
		switch {
		case again == nil:
		case again.kind == fsm.KindDetachNode:
			if l.mode == modeLead && !l.closed {
				l.queue.push(op{again: again, kind: again.kind, since: l.b.now()}, again.command)
			}
		case len(l.owed) < owedMax:
			l.owed = append(l.owed, *again)
		}
	}
}

// tell answers failed commands.
func (l *lane) tell(f failure) {
	if len(f.ops) == 0 {
		return
	}
	g := newGrouping(l)
	for i := range f.ops {
		o := &f.ops[i]
		switch {
		case o.peer != nil:
			g.peerResult(o, refusal(f.code, ""))
		case o.conn != nil:
			g.result(o, refusal(toClient(f.code), ""))
			l.b.metrics.refused(toClient(f.code))
		}
	}
	g.flush()
}

// toClient turns what nodes tell each other into what a client is told.
func toClient(c transport.Code) transport.Code {
	if c == transport.CodeNotLeader {
		return transport.CodeNoLeader
	}
	return c
}
