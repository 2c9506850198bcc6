package fsm

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// lineKinds are messages that differ by the line of their queue they are in.
var lineKinds = map[string]func(i int, m *record.Message){
	"plain":    func(int, *record.Message) {},
	"priority": func(i int, m *record.Message) { p := uint8(i % 3); m.Priority = &p },
	"groups":   func(i int, m *record.Message) { m.GroupKey = fmt.Sprintf("g%d", i%100) },
	"tenants":  func(i int, m *record.Message) { m.Tenant = fmt.Sprintf("t%d", i%50) },
}

// littered has a queue with more than is reclaimed at once, of messages of a
// kind: without state of their own, returned, leased, scheduled, to be tried
// again, and parked.
func littered(t *testing.T, kind func(i int, m *record.Message)) *driver {
	d := newDriver(t)
	publish := func(count int, m record.Message) Applied {
		var records []byte
		for i := range count {
			kind(i, &m)
			m.Body = fmt.Appendf(nil, "m%d", i)
			b, err := record.Append(nil, &m)
			if err != nil {
				t.Fatal(err)
			}
			records = wire.AppendBytes(records, b)
		}
		return d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: uint32(count), Records: records})
	}
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q", Settings: Settings{Fair: true, DLQMessages: 1, GroupFailure: GroupSkip}})
	d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: 1, CreditMessages: 100, Concurrency: 100})
	a := publish(100, record.Message{})
	var items []SettleItem
	for i, e := range a.Effects[:40] {
		it := SettleItem{Incarnation: e.Incarnation, Place: e.Place, Token: e.Token, Action: ActionReject}
		if i%2 == 0 {
			it.Action, it.Reason, it.DelayMillis = ActionNack, ReasonMessage, 60_000
		}
		items = append(items, it)
	}
	d.ok(&Settle{OpHeader: d.op(), Items: items})
	d.ok(&Cancel{OpHeader: d.op(), Consumer: 1, Return: true})
	d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: 2, CreditMessages: 20, Concurrency: 20})
	publish(50, record.Message{DelayMillis: 60_000})
	for range 2*reclaimMax/MaxItems + 1 {
		publish(MaxItems, record.Message{})
	}
	return d
}

// TestReclaimGoesOnFromASnapshot: what was purged or deleted is reclaimed entry
// by entry alike by a replica that never stopped and by those that came from a
// snapshot at any time, whatever lines and states the messages were in.
func TestReclaimGoesOnFromASnapshot(t *testing.T) {
	for name, kind := range lineKinds {
		for _, why := range []gone{gonePurged, goneWithQueue} {
			t.Run(fmt.Sprintf("%s of cause %d", name, why), func(t *testing.T) {
				d := littered(t, kind)
				q := d.queue("q")
				if q.Ready < 2*reclaimMax || q.Leased != 20 || q.Scheduled != 50 || q.Retrying != 20 || q.Parked != 19 {
					t.Fatalf("%+v", q)
				}
				if why == gonePurged {
					d.ok(&QueuePurge{OpHeader: d.op(), Queue: "q"})
				} else {
					d.ok(&QueueDelete{OpHeader: d.op(), Queue: "q"})
				}
				replicas, entries := []*State{d.s}, 0
				for ; d.s.junk.Len() > 0; entries++ {
					replicas = append(replicas, copyOf(t, d.s))
					before := d.s.MessageCount()
					var want []TraceEvent
					for i, s := range replicas {
						var told []TraceEvent
						s.SetTrace(func(e TraceEvent) { told = append(told, e) })
						if _, err := s.Apply(s.Index()+1, entryOf(Clock{})); err != nil {
							t.Fatal(err)
						}
						if err := s.Check(); err != nil {
							t.Fatal(err)
						}
						if i == 0 {
							want = told
						}
						if s.Hash() != d.s.Hash() || !slices.Equal(told, want) {
							t.Fatalf("replica %d goes on differently after entry %d: %d messages, not %d",
								i, s.Index(), s.MessageCount(), d.s.MessageCount())
						}
					}
					if gone := before - d.s.MessageCount(); gone == 0 || gone > reclaimMax || uint64(len(want)) != gone {
						t.Fatalf("%d messages reclaimed, %d told of", gone, len(want))
					}
				}
				left := uint64(0)
				if why == gonePurged {
					left = 20 + 1 // leased, and one dead
				}
				if entries < 2 || d.s.MessageCount() != left {
					t.Fatalf("%d messages after %d entries", d.s.MessageCount(), entries)
				}
			})
		}
	}
}
