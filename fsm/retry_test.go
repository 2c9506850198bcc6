package fsm

import (
	"bytes"
	"fmt"
	"testing"
)

// TestHistoryIsCut: of the attempts of a message the last 16 are kept in full
// and those before are counted, on its way through the dead-letter queue and
// back, and through a snapshot; unless it is to be as new on its way back.
func TestHistoryIsCut(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{FailureLimit: 20, Retry: RetryImmediate}})
	d.ok(&Consume{OpHeader: d.op(), Consumer: 1, Queue: "q", CreditMessages: 1})
	next := d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: 1, Records: testRecords(1, 4)}).Effects
	var errors []string // of all attempts, the oldest first
	var began int64     // when they began
	fail := func(times int) {
		for range times {
			d.lease++
			errors = append(errors, fmt.Sprint("error ", len(errors)))
			e := next[0]
			next = d.ok(&Settle{OpHeader: d.op(), Items: []SettleItem{{Incarnation: e.Incarnation, Place: e.Place, Token: e.Token,
				Action: ActionNack, Reason: ReasonMessage, Error: errors[len(errors)-1]}}}).Effects
		}
	}
	// dead is the place of the dead letter, whose history must be right.
	dead := func(s *State) (place uint64) {
		s.Messages("q.dlq", func(m MessageInfo) bool {
			place = m.Place
			attempts, forgotten := uint32(len(errors)), uint32(max(0, len(errors)-16))
			if x := m.Death; x.Attempts != attempts || x.Forgotten != forgotten || len(x.History) != int(attempts-forgotten) {
				t.Fatalf("%d attempts, %d forgotten, %d kept, of %d", x.Attempts, x.Forgotten, len(x.History), attempts)
			}
			for i, a := range m.Death.History {
				n := int(forgotten) + i
				if a.Error != errors[n] || a.AtMillis != began+int64(n+1) || a.Session != d.id || a.Consumer != 1 || a.Token == 0 {
					t.Fatalf("attempt %d: %+v", n, a)
				}
			}
			return true
		})
		if place == 0 {
			t.Fatal("it is not dead")
		}
		return place
	}
	fail(20)
	dead(d.s)
	var b bytes.Buffer
	if _, err := d.s.Snapshot().WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	restored, err := Restore(&b)
	if err != nil {
		t.Fatal(err)
	}
	place := dead(restored)

	d.ok(&QueueUpdate{OpHeader: d.op(), Queue: "q", Settings: Settings{FailureLimit: 23, Retry: RetryImmediate}})
	var id uint64
	d.s.Messages("q.dlq", func(m MessageInfo) bool { id = m.ID.Index; return true })
	next = d.ok(&Amend{OpHeader: d.op(), Queue: "q.dlq", Action: AmendMove, Items: []AmendItem{{Place: place, Index: id}}}).Effects
	fail(3)

	// Reset, what was tried is forgotten.
	place = dead(d.s)
	next = d.ok(&Amend{OpHeader: d.op(), Queue: "q.dlq", Action: AmendMove, Reset: true, Items: []AmendItem{{Place: place, Index: id}}}).Effects
	errors, began = nil, d.lease
	fail(23)
	dead(d.s)
}

// TestRetryDelays: how long a message waits by each policy, after so many
// failures. Every message waits a little shorter than others, by a quarter at
// most, and all of that quarter is made use of.
func TestRetryDelays(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings Settings
		want     []int64 // the longest, in milliseconds, after 1, 2, ... failures
	}{
		{"by default", Settings{}, []int64{1e3, 2e3, 4e3, 8e3, 16e3, 32e3, 64e3, 128e3, 256e3, 300e3, 300e3, 300e3}},
		{"by three", Settings{RetryFactor: 3, RetryBaseMillis: 500, RetryMaxMillis: 5e3}, []int64{500, 1500, 4500, 5e3}},
		{"linear", Settings{Retry: RetryLinear, RetryMaxMillis: 3500}, []int64{1e3, 2e3, 3e3, 3500, 3500}},
		{"fixed", Settings{Retry: RetryFixed}, []int64{1e3, 1e3, 1e3}},
		{"immediate", Settings{Retry: RetryImmediate}, []int64{0, 0, 0}},
	} {
		settings, r := c.settings.filled()
		if r.Code != OK {
			t.Fatal(c.name, r)
		}
		for i, want := range c.want {
			shortest, longest := want, int64(0)
			for index := range uint64(2000) {
				m := &message{}
				m.index, m.attempts, m.failures = index, uint32(i+1), uint32(i+1)
				d := settings.retryDelay(m)
				shortest, longest = min(shortest, d), max(longest, d)
			}
			if longest > want || longest < want-want/100 || shortest < want-want/4 || shortest > want-want/4+want/100 {
				t.Errorf("%s, %d failures: %d to %d ms, want %d to %d", c.name, i+1, shortest, longest, want-want/4, want)
			}
		}
	}
}
