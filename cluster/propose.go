package cluster

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// The term an entry was meant for travels in its Extensions: magic u32, term
// u64, big endian. raft.Apply cannot be told a term: an entry that waits for
// raft's main loop while leadership is lost and won again would be appended in
// the new term, before its first entry and with the clocks of the old one.
// Every replica skips such an entry, so it is certainly not applied.
const (
	fenceMagic = 0x46_54_45_31 // "FTE1"
	fenceSize  = 12
)

func fence(term uint64) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, fenceSize), fenceMagic)
	return binary.BigEndian.AppendUint64(b, term)
}

// fenced tells whether the entry was appended in another term than it was
// meant for. Log stores may add to Extensions behind the fence.
func fenced(l *raft.Log) bool {
	if len(l.Extensions) < fenceSize || binary.BigEndian.Uint32(l.Extensions) != fenceMagic {
		return false
	}
	return binary.BigEndian.Uint64(l.Extensions[4:]) != l.Term
}

// Void tells of an entry in the log that no replica applies, because it was
// appended in another term than it was proposed in.
func Void(l *raft.Log) bool { return fenced(l) }

// Propose replicates count encoded commands as one entry, stamped with this
// leader's clocks; count 0 only moves the clocks. The commands are copied. The
// function returned blocks until the entry is applied here or its outcome is
// decided otherwise, and must be called, by one goroutine at a time. Its
// error is a *transport.Error: CodeUnknownOutcome says that the entry may or
// may not be applied, every other code that it is not and never will be.
//
// Entries are appended in the order of the calls: call it from one goroutine.
// Once an entry of a leadership failed, none proposed later in it succeeds: a
// failure that does not end the term ends the leadership, which then begins
// anew, first entry and announcement included, when every proposal before has
// its answer.
func (g *Group) Propose(commands []byte, count int) func() (fsm.Applied, error) {
	if g.closing.Load() {
		return g.refused(transport.Errorf(transport.CodeShuttingDown, "this node is shutting down"))
	}
	l := g.leading()
	if l == nil {
		return g.refused(transport.Errorf(transport.CodeNotLeader, "this node does not lead group %d", g.opts.ID))
	}
	if !l.calls.tryBegin() {
		return g.refused(transport.Errorf(transport.CodeNotLeader, "leadership of group %d is changing", g.opts.ID))
	}
	return g.append(l, g.clock.stamp(time.Now()), commands, count)
}

func (g *Group) refused(err *transport.Error) func() (fsm.Applied, error) {
	g.opts.Metrics.proposed(g.opts.ID, err.Code.String())
	return func() (fsm.Applied, error) { return fsm.Applied{}, err }
}

// append hands an entry to raft. The caller has begun a call of l.
func (g *Group) append(l *leadership, at fsm.Clock, commands []byte, count int) func() (fsm.Applied, error) {
	data := make([]byte, 0, fsm.EntryHeaderSize+len(commands))
	data = fsm.AppendEntryHeader(data, fsm.Version(g.fsm.version.Load()), at, count)
	data = append(data, commands...)
	g.calls.begin()
	asked := time.Now()
	future := g.raft.ApplyLog(raft.Log{Data: data, Extensions: fence(l.term)}, g.opts.EnqueueTimeout)
	if time.Since(asked) >= g.opts.EnqueueTimeout {
		l.fail(g) // most likely not taken: nothing that comes later may be
	}
	answered := false
	return func() (fsm.Applied, error) {
		err := future.Error()
		applied, failure := g.settle(future, err)
		if !answered {
			answered = true
			g.calls.end()
			if failure != nil {
				l.fail(g)
			}
			l.calls.end()
			g.opts.Metrics.proposed(g.opts.ID, outcomeName(failure))
		}
		if failure != nil {
			return fsm.Applied{}, failure
		}
		return applied, nil
	}
}

func outcomeName(err *transport.Error) string {
	if err == nil {
		return "applied"
	}
	return err.Code.String()
}

// settle turns raft's answer into the proposer's. An entry has an index from
// the moment on that it may reach a disk; without one it was never appended.
func (g *Group) settle(future raft.ApplyFuture, err error) (fsm.Applied, *transport.Error) {
	if err == nil {
		o, ok := future.Response().(*outcome)
		switch {
		case !ok:
			return fsm.Applied{}, transport.Errorf(transport.CodeUnknownOutcome, "group %d: no answer of the state machine", g.opts.ID)
		case errors.Is(o.err, errFenced):
			return fsm.Applied{}, transport.Errorf(transport.CodeNotLeader, "group %d: %v", g.opts.ID, o.err)
		case o.err != nil:
			return fsm.Applied{}, transport.Errorf(transport.CodeUnknownOutcome, "group %d: %v", g.opts.ID, o.err)
		}
		return o.applied, nil
	}
	if future.Index() != 0 {
		return fsm.Applied{}, transport.Errorf(transport.CodeUnknownOutcome, "group %d, entry %d: %v", g.opts.ID, future.Index(), err)
	}
	switch {
	case errors.Is(err, raft.ErrEnqueueTimeout):
		e := transport.Errorf(transport.CodeBusy, "group %d: the log did not take the entry within %v", g.opts.ID, g.opts.EnqueueTimeout)
		e.RetryAfterMs = enqueueRetryMillis
		return fsm.Applied{}, e
	case errors.Is(err, raft.ErrRaftShutdown):
		return fsm.Applied{}, transport.Errorf(transport.CodeShuttingDown, "group %d: %v", g.opts.ID, err)
	}
	return fsm.Applied{}, transport.Errorf(transport.CodeNotLeader, "group %d: %v", g.opts.ID, err)
}

const enqueueRetryMillis = 250
