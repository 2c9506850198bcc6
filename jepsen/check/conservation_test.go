package check

import (
	"testing"

	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/stretchr/testify/require"
)

func conservation() Conservation {
	return Conservation{Workload: "w", Floors: ConservationFloors{Replicas: 3, Queues: 6, Published: 90}}
}

// everywhere changes a queue on all replicas.
func everywhere(i int, change func(*history.Queue)) func(*testing.T, *history.Run) {
	return func(_ *testing.T, run *history.Run) {
		for r := range run.Replicas {
			change(&run.Replicas[r].Queues[i])
		}
	}
}

func TestConservation(t *testing.T) {
	mustFind(t, conservation(), orderly120, []planted{
		{"one replica forgot an ack", KindDiffer, func(_ *testing.T, run *history.Run) { run.Replicas[1].Queues[0].Acked-- }},
		{"another incarnation", KindDiffer, func(_ *testing.T, run *history.Run) { run.Replicas[2].Queues[1].Incarnation = 77 }},
		{"not on one replica", KindDiffer, func(_ *testing.T, run *history.Run) {
			run.Replicas[2].Queues = run.Replicas[2].Queues[:1]
		}},
		{"on no replica", KindMissing, func(_ *testing.T, run *history.Run) {
			for r := range run.Replicas {
				run.Replicas[r].Queues = nil
			}
		}},
		{"a message fell out", KindSum, everywhere(0, func(q *history.Queue) { q.Acked-- })},
		{"still leased", KindLeft, everywhere(0, func(q *history.Queue) { q.Acked, q.Leased = q.Acked-1, 1 })},
		{"still parked", KindLeft, everywhere(1, func(q *history.Queue) { q.Acked, q.Parked = q.Acked-1, 1 })},
		{"fewer than were confirmed", KindTotals, everywhere(0, func(q *history.Queue) {
			q.Published, q.Acked = q.Published-1, q.Acked-1
		})},
		{"more than anybody published", KindTotals, everywhere(0, func(q *history.Queue) {
			q.Published, q.Acked = q.Published+11, q.Acked+11
		})},
		{"acked that nobody acked", KindTotals, everywhere(0, func(q *history.Queue) { q.Acked, q.Purged = q.Acked-1, 1 })},
		{"purged that nobody purged", KindTotals, everywhere(1, func(q *history.Queue) { q.Published, q.Purged = q.Published+1, 1 })},
		{"dead, and in no dead-letter queue", KindTotals, everywhere(1, func(q *history.Queue) {
			q.Published, q.Acked = q.Published-1, q.Acked-1
		})},
		{"dropped from the dead-letter queue", KindTotals, everywhere(1, func(q *history.Queue) { q.Dead, q.Acked = 1, q.Acked-1 })},
	})
}

func TestConservationOfUnknowns(t *testing.T) {
	run := orderly120()
	find(t, run, 20, kind(history.Ack, history.OK)).Outcome = history.Unknown
	purge := history.Op{Workload: "w", Queue: testQueue, Kind: history.Purge, Outcome: history.Unknown, Call: 1, Return: 2}
	run.Ops = append(run.Ops, purge)
	for r := range run.Replicas {
		q := &run.Replicas[r].Queues[0]
		q.Published, q.Purged = q.Published+3, 3 // three of the unknown publishes, purged
	}
	require.Equal(t, Valid, conservation().Check(run).Result, "%s", conservation().Check(run))

	again := history.Op{Workload: "w", Queue: testQueue, Kind: history.Delete, Outcome: history.OK, Call: 1, Return: 2}
	run.Ops = append(run.Ops, again)
	for r := range run.Replicas {
		run.Replicas[r].Queues[0] = history.Queue{Name: testQueue, Incarnation: 9, Published: 90, Acked: 90}
		run.Replicas[r].Queues[1] = history.Queue{Name: testQueue + ".dlq", Incarnation: 10}
	}
	require.Equal(t, Valid, conservation().Check(run).Result, "a queue made again began anew: %s", conservation().Check(run))
	for r := range run.Replicas {
		run.Replicas[r].Queues = nil
	}
	require.Zero(t, conservation().Check(run).Found[KindMissing], "it may be gone")
}

func TestDigests(t *testing.T) {
	good := func() *history.Run {
		run := orderly120()
		for i, node := range testNodes {
			for at := range uint64(10) {
				run.Probes = append(run.Probes, history.Probe{
					At: int64(at), Node: node, Applied: at * (1 + uint64(i)%2), Digest: string(rune('a' + at*(1+uint64(i)%2))),
				})
			}
		}
		return run
	}
	mustFind(t, Digests{Floor: 20}, good, []planted{
		{"in the end", KindDigest, func(_ *testing.T, run *history.Run) { run.Replicas[2].Digest = "e" }},
		{"on the way", KindDigest, func(_ *testing.T, run *history.Run) { run.Probes[4].Digest = "?" }},
		{"a node with itself", KindDigest, func(_ *testing.T, run *history.Run) {
			p := run.Probes[0]
			p.Digest = "?"
			run.Probes = append(run.Probes, p)
		}},
		{"nothing to compare", KindVacuous, func(_ *testing.T, run *history.Run) {
			for i := range run.Probes {
				run.Probes[i].Error = "unreachable"
			}
		}},
	})
	one := &history.Run{Probes: []history.Probe{{Node: "n1", Applied: 1, Digest: "a"}, {Node: "n1", Applied: 1, Digest: "a"}}}
	require.Equal(t, Invalid, Digests{Floor: 1}.Check(one).Result, "a node that agrees with itself")
}
