package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// account is what became of the lines.
type account struct {
	published, confirmed, consumed, redelivered int64
	lost, duplicated                            int64
}

// judge has a run checked: what each line came to, and that the queue's own
// counts are those of its clients. Its error is everything that must not be.
func judge(run *history.Run, lines int64) (a account, err error) {
	verdicts := check.All(run, []check.Checker{
		check.Accounting{Workload: queue, Floors: check.AccountingFloors{Confirmed: lines, Delivered: lines, Settled: lines}},
		check.Conservation{Workload: queue, Floors: check.ConservationFloors{Replicas: 1, Queues: 1, Published: lines}},
	})
	for _, v := range verdicts {
		if v.Result != check.Valid {
			err = errors.Join(err, errors.New(v.String()))
		}
	}
	lives := verdicts[0]
	seen := map[string]int64{}
	for _, c := range lives.Checked {
		seen[c.Name] = c.Seen
	}
	a = account{
		published: lives.Notes["attempted"], confirmed: seen["confirmed"], consumed: seen["delivered"],
		redelivered: seen["redelivered"], lost: lives.Found[check.KindLost],
	}
	for _, kind := range []string{check.KindDuplicated, check.KindRepeated, check.KindShared, check.KindFlag, check.KindAfterAck} {
		a.duplicated += lives.Found[kind]
	}
	return a, err
}

// report prints what came of every line, for people and, at last, for programs.
func (s *show) report(run *history.Run, info client.QueueInfo, gap time.Duration) error {
	run.Replicas = []history.Replica{{Node: "the leader", Queues: []history.Queue{workload.QueueOf(info)}}}
	run.Ops, run.Ended = s.rec.Ops(), s.rec.Now()
	a, err := judge(run, int64(len(s.file.lines)))
	err = errors.Join(s.failure(), err)
	for _, row := range []struct {
		what  string
		count int64
	}{
		{"published", a.published}, {"confirmed", a.confirmed}, {"consumed", a.consumed}, {"redelivered, and flagged so", a.redelivered},
		{"lost", a.lost}, {"duplicated beyond redelivery", a.duplicated},
	} {
		fmt.Printf("%-30s %8d\n", row.what, row.count)
	}
	fmt.Printf("%-30s %8d ms\n", "gap around the failover", gap.Milliseconds())
	verdict := "ok"
	if err != nil {
		verdict = "FAILED"
	} else {
		fmt.Printf("what arrived is the file, line for line: %d of %d lines\n", a.consumed, len(s.file.lines))
	}
	fmt.Printf("demo: published=%d confirmed=%d consumed=%d redelivered=%d lost=%d duplicated=%d gap_ms=%d %s\n",
		a.published, a.confirmed, a.consumed, a.redelivered, a.lost, a.duplicated, gap.Milliseconds(), verdict)
	return err
}
