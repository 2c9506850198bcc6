package witness

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Kinds of problems.
const (
	KindAbsent     = "absent"         // answered, and not in the log where its answer says
	KindContent    = "content"        // something else is there
	KindOutput     = "output"         // answered otherwise than the log decides
	KindRealTime   = "real_time"      // after what was called after it had returned
	KindReused     = "witness_reused" // two operations say that they took effect at one place
	KindTwice      = "applied_twice"  // one message is in the log twice
	KindGhost      = "ghost"          // it certainly failed, and the log has it
	KindUnexpected = "unexpected"     // the log has, or a consumer got, what nobody published
	KindPhantom    = "phantom"        // of an unknown outcome, not in the log, and delivered
	KindDelivery   = "delivery"       // a delivery that the log does not give
	KindConsumer   = "consumer"       // one consumer of the log, two of the clients
	KindRead       = "read"           // counts that the queue had at no moment of the read
	KindState      = "state"          // a replica's counts are not what the log makes of them
)

// Checker judges a whole run by its log: that the answers are those of a
// queue that takes one operation after the other, in the order of the log, and
// that this order is the one in which clients saw things happen.
type Checker struct {
	// Floors of operations compared with the log, of deliveries, and of
	// entries replayed.
	Operations, Deliveries, Indexes int64
}

// Name of the checker.
func (Checker) Name() string { return "witness" }

// Check replays the log.
func (c Checker) Check(run *history.Run) check.Verdict { return c.judge(newJudge(run)) }

func (c Checker) judge(j *judge) check.Verdict {
	j.replay()
	j.deliveries()
	j.unknowns()
	j.realTime()
	j.reads()
	j.replicas()
	v := j.v
	v.Saw("operations", j.compared, c.Operations)
	v.Saw("deliveries", j.delivered, c.Deliveries)
	v.Saw("indexes", j.replayed, c.Indexes)
	v.Notes["reads"], v.Notes["replica counts"] = j.readsSeen, j.countsSeen
	return v.Done()
}

// judge is one check at work.
type judge struct {
	run *history.Run
	v   *check.Verdict
	m   *model
	log []history.Entry

	placed    []int // operations that have a place in the log, in its order
	published map[history.Key]int
	accepted  map[history.Key]history.Witness     // by what is in the log
	end       uint64                              // the last index replayed
	want      uint64                              // and the one that the replay has to reach
	counts    map[uint64]map[string]history.Queue // of all queues, at the indexes that replicas were asked at

	compared, delivered, replayed, readsSeen, countsSeen int64
}

func newJudge(run *history.Run) *judge {
	j := &judge{
		run: run, v: check.NewVerdict("witness", ""), m: newModel(), log: run.Log,
		published: map[history.Key]int{}, accepted: map[history.Key]history.Witness{},
		counts: map[uint64]map[string]history.Queue{},
	}
	for _, r := range run.Replicas {
		j.want = max(j.want, r.Applied)
		j.counts[r.Applied] = nil
	}
	for i := range run.Ops {
		o := &run.Ops[i]
		if o.At != (history.Witness{}) {
			j.placed = append(j.placed, i)
		}
		switch o.Kind {
		case history.Publish:
			j.published[o.Key] = i
		case history.Read:
			j.m.watch[o.Queue] = nil
		}
	}
	slices.SortFunc(j.placed, func(a, b int) int {
		x, y := run.Ops[a].At, run.Ops[b].At
		return cmp.Or(cmp.Compare(x.Index, y.Index), cmp.Compare(x.Position, y.Position))
	})
	j.bound()
	return j
}

// bound cuts off what may not be committed. What replicas have applied is, and
// so is what a client was answered from, if the log has it at all.
func (j *judge) bound() {
	if len(j.log) == 0 {
		return
	}
	last := j.log[len(j.log)-1].Index
	if len(j.run.Replicas) == 0 {
		j.want = last
		return
	}
	if n := len(j.placed); n > 0 {
		j.want = max(j.want, min(last, j.run.Ops[j.placed[n-1]].At.Index))
	}
	j.log = UpTo(j.log, j.want)
}

// holed tells whether the replay ended before all that is to be judged.
func (j *judge) holed() bool { return j.end < j.want }

// why the replay ended.
func (j *judge) why() string {
	if j.m.foreign != "" {
		return fmt.Sprintf("entry %d of %d has what the model does not know: %s", j.end+1, j.want, j.m.foreign)
	}
	return fmt.Sprintf("nobody has entry %d of %d", j.end+1, j.want)
}

// replay carries the log out, up to its first hole or what is foreign to the
// model, and compares what was answered with it on the way.
func (j *judge) replay() {
	next := 0 // in placed
	for i := range j.log {
		e := &j.log[i]
		if e.Index != j.end+1 {
			break
		}
		next = j.absent(next, e.Index)
		if j.m.apply(e); j.m.foreign != "" {
			break
		}
		j.end = e.Index
		j.replayed++
		for _, msg := range j.m.stored {
			j.store(msg)
		}
		next = j.compare(next, e.Index)
		if _, asked := j.counts[e.Index]; asked {
			j.counts[e.Index] = j.m.counts()
		}
	}
	for _, h := range holesOf(j.log) {
		j.v.Notes["holes"] += int64(h.To - h.From + 1)
	}
	if j.holed() {
		j.v.Undecided(j.why())
		j.v.Notes["beyond a hole"] = int64(len(j.placed) - next)
		return
	}
	j.absent(next, 1<<63)
}

// absent reports the operations from next on that are placed before an index.
func (j *judge) absent(next int, index uint64) int {
	for ; next < len(j.placed); next++ {
		o := &j.run.Ops[j.placed[next]]
		if o.At.Index >= index {
			break
		}
		j.v.Add(KindAbsent, o.Return, "%s: the log has nothing there", o)
	}
	return next
}

// store notes a message that the log accepts.
func (j *judge) store(msg *message) {
	if msg.key == (history.Key{}) {
		j.v.Notes["messages without a key"]++
		return
	}
	if first, twice := j.accepted[msg.key]; twice {
		j.v.Add(KindTwice, 0, "message %s is in the log at %s and at %s", msg.key, first, msg.id())
		return
	}
	j.accepted[msg.key] = msg.id()
	i, known := j.published[msg.key]
	if !known {
		j.v.Add(KindUnexpected, 0, "the log has message %s at %s, which nobody published", msg.key, msg.id())
		return
	}
	if o := &j.run.Ops[i]; o.Outcome == history.Fail {
		j.v.Add(KindGhost, o.Return, "%s: the log accepts it at %s", o, msg.id())
	}
}
