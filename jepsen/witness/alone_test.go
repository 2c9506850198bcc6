package witness

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// story is a history that a test writes down entry by entry: two sessions, "a"
// and "b", with a consumer each, and one queue.
type story struct {
	run     *history.Run
	lease   int64
	numbers map[string]uint64
	seq     uint64
}

const storyQueue = "q"

func newStory() *story {
	s := &story{run: &history.Run{}, numbers: map[string]uint64{}}
	s.entry()
	s.entry(
		history.Command{Kind: "open", Session: "a"}, history.Command{Kind: "attach", Session: "a", Epoch: 1, Node: "n"},
		history.Command{Kind: "open", Session: "b"}, history.Command{Kind: "attach", Session: "b", Epoch: 1, Node: "n"},
		s.numbered("a", history.Command{Kind: "queuecreate", Queue: storyQueue,
			Settings: &history.Settings{Retry: retryImmediate, FailureLimit: failuresNever}}),
	)
	return s
}

func (s *story) entry(commands ...history.Command) {
	e := history.Entry{Index: uint64(len(s.run.Log) + 1), Term: 1, LeaseMillis: s.lease, Commands: commands}
	if commands != nil {
		e.WallMillis = 1
	}
	s.run.Log = append(s.run.Log, e)
}

func (s *story) numbered(session string, c history.Command) history.Command {
	s.numbers[session]++
	c.Session, c.Epoch, c.Number = session, 1, s.numbers[session]
	return c
}

func (s *story) consume(session string, credit uint32) {
	s.entry(s.numbered(session, history.Command{Kind: "consume", Queue: storyQueue, Consumer: 1, CreditMessages: credit, Concurrency: 1}))
}

// publish puts a message into the log, and returns its delivery's beginnings.
func (s *story) publish() history.Op {
	s.seq++
	c := s.numbered("b", history.Command{Kind: "publish", Queue: storyQueue})
	key := history.Key{Producer: 1, Seq: s.seq}
	c.Bodies, c.Sizes = []string{key.String()}, []int{5}
	s.entry(c)
	at := history.Witness{Index: uint64(len(s.run.Log))}
	s.op(history.Op{Kind: history.Publish, Key: key, At: at})
	return history.Op{Kind: history.Deliver, Key: key, ID: at}
}

// op notes what was called before the last entry and returned after it.
func (s *story) op(o history.Op) {
	o.Queue, o.Outcome = storyQueue, history.OK
	o.Call, o.Return = int64(len(s.run.Log))*1000-1, int64(len(s.run.Log))*1000+1
	s.run.Ops = append(s.run.Ops, o)
}

// delivered notes a delivery of the last entry.
func (s *story) delivered(o history.Op, to uint32, token uint64, attempt, failures int) {
	o.Queue, o.Outcome, o.Consumer, o.Token, o.Attempt, o.Failures = storyQueue, history.OK, to, token, attempt, failures
	o.Redelivered = attempt > 1
	o.Call = int64(len(s.run.Log))*1000 + 2
	o.Return = o.Call
	s.run.Ops = append(s.run.Ops, o)
}

func (s *story) ack(session string, place, token uint64) {
	s.entry(s.numbered(session, history.Command{Kind: "settle",
		Items: []history.Item{{Incarnation: 1, Place: place, Token: token, Action: "ack"}}}))
	s.op(history.Op{Kind: history.Ack, Token: token, At: history.Witness{Index: uint64(len(s.run.Log))}})
}

// lose has a session lose its connection, and then its grace end.
func (s *story) lose(session string) {
	s.entry(history.Command{Kind: "detach", Session: session, Epoch: 1, Node: "n", Cause: "connection"})
	s.lease += graceMillis
	s.entry([]history.Command{}...)
	s.run.Log[len(s.run.Log)-1].WallMillis = 1
}

func (s *story) judge(c Checker) check.Verdict {
	j := newJudge(s.run)
	return c.judge(j)
}

// crash: "a" is lost with three messages, of which it had begun with the first.
func (s *story) crash() (all [3]history.Op) {
	s.consume("a", 3)
	for i := range all {
		all[i] = s.publish()
		s.delivered(all[i], 1, uint64(i+1), 1, 0)
	}
	return all
}

// TestSuspectGoesAlone: what a lost consumer had begun with is handed out
// alone; the others follow when it is settled.
func TestSuspectGoesAlone(t *testing.T) {
	tell := func(beside bool) check.Verdict {
		s := newStory()
		all := s.crash()
		s.consume("b", 3)
		s.lose("a")
		s.delivered(all[0], 2, 4, 2, 1)
		if beside {
			s.delivered(all[1], 2, 5, 2, 0)
		}
		s.ack("b", 1, 4)
		if !beside {
			s.delivered(all[1], 2, 5, 2, 0)
		}
		s.delivered(all[2], 2, 6, 2, 0)
		return s.judge(Checker{Operations: 4, Deliveries: 6})
	}
	v := tell(false)
	require.Equal(t, check.Valid, v.Result, v)
	v = tell(true)
	require.Equal(t, check.Invalid, v.Result)
	require.Positive(t, v.Found[KindRealTime], v)
}

// TestSuspectWaitsForAConsumer: if nobody holds nothing, a consumer is kept for
// it, is given nothing more, and gets it when it has settled the rest. It waits
// anew for who comes when that one goes.
func TestSuspectWaitsForAConsumer(t *testing.T) {
	tell := func(next func(s *story, all [3]history.Op, fourth, fifth history.Op)) check.Verdict {
		s := newStory()
		all := s.crash()
		fourth := s.publish()
		s.consume("b", 3)
		s.delivered(fourth, 2, 4, 1, 0)
		s.lose("a")
		fifth := s.publish()
		next(s, all, fourth, fifth)
		return s.judge(Checker{})
	}
	v := tell(func(s *story, all [3]history.Op, _, fifth history.Op) {
		s.ack("b", 4, 4)
		s.delivered(all[0], 2, 5, 2, 1)
		s.ack("b", 1, 5)
		s.delivered(all[1], 2, 6, 2, 0)
		s.delivered(all[2], 2, 7, 2, 0)
		s.delivered(fifth, 2, 8, 1, 0)
	})
	require.Equal(t, check.Valid, v.Result, v)
	require.Equal(t, int64(8), v.Checked[1].Seen)

	v = tell(func(s *story, all [3]history.Op, _, _ history.Op) {
		s.delivered(all[1], 2, 5, 2, 0)
		s.ack("b", 4, 4)
	})
	require.Positive(t, v.Found[KindDelivery], "it is kept, and gets nothing else: %s", v)

	v = tell(func(s *story, all [3]history.Op, fourth, fifth history.Op) {
		s.lose("b")
		s.entry(history.Command{Kind: "attach", Session: "a", Epoch: 2, Node: "n"})
		s.delivered(all[0], 1, 5, 2, 1)
	})
	require.Equal(t, check.Valid, v.Result, v)
}
