package fsm

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// TestAnswersTaken: who says which answers have come may ask any number of
// times before the deadlines; who does not is refused at the limit, and goes on
// as soon as it says so.
func TestAnswersTaken(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	d.ok(&Consume{OpHeader: d.op(), Consumer: 1, Queue: "q", CreditMessages: 1})
	ask := func(taken ...uint64) (Result, uint64) {
		h := d.op()
		a := d.do(&Request{OpHeader: h, Queue: "q", Taken: taken, Records: recordsOfKind(1, 4, record.Message{DeadlineMillis: 1000})})
		for _, e := range a.Effects {
			d.ok(&Reply{OpHeader: d.op(), Incarnation: e.Incarnation, Place: e.Place, Token: e.Token, Records: testRecords(1, 4)})
		}
		return a.Results[0], h.Number
	}
	var last []uint64
	for i := range MaxRequests + 100 {
		r, number := ask(last...)
		if r.Code != OK {
			t.Fatalf("request %d: %+v", i, r)
		}
		last = []uint64{number}
	}
	if n := d.s.MessageCount(); n != 1 {
		t.Fatalf("%d answers are kept", n)
	}
	var kept []uint64
	for i := range MaxRequests - 1 {
		r, number := ask()
		if r.Code != OK {
			t.Fatalf("request %d: %+v", i, r)
		}
		kept = append(kept, number)
	}
	busy := Result{Code: Busy, Cause: CauseRequests, RetryAfterMillis: RetryCountMillis}
	if r, _ := ask(); r.Code != busy.Code || r.Cause != busy.Cause || r.RetryAfterMillis != busy.RetryAfterMillis {
		t.Fatalf("%+v", r)
	}
	if r, _ := ask(kept[:MaxTaken+1]...); r.Code != Invalid || r.Detail != fmt.Sprintf("more than %d answers taken", MaxTaken) {
		t.Fatalf("%+v", r)
	}
	if r, _ := ask(slices.Concat(kept[:MaxTaken-1], []uint64{1 << 60})...); r.Code != OK {
		t.Fatalf("%+v", r)
	}
	if n := d.s.MessageCount(); n != MaxRequests-MaxTaken+2 {
		t.Fatalf("%d answers are kept", n)
	}
	d.lease = 1000
	d.do()
	if n := d.s.MessageCount(); n != 0 {
		t.Fatalf("%d answers are kept after their deadlines", n)
	}
}
