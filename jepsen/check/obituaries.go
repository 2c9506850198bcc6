package check

import "github.com/ferrymq/ferrymq/jepsen/history"

// Obituaries judges what dead letters tell of their lives: how many failures
// killed them, and the attempts that ended without success, each once, none of
// another message, and none left out that a client knows of.
type Obituaries struct {
	Workload string
	Queues   []string // none: all that the workload names
	Limit    int      // of failures

	Floor int64 // dead letters
}

func (b Obituaries) Name() string { return "obituaries" }

// obituary is what one delivery of a dead letter told.
type obituary struct {
	died   *history.Op
	tokens map[uint64]bool
}

// Check is linear in the operations but for sorting.
func (b Obituaries) Check(run *history.Run) Verdict {
	v := NewVerdict(b.Name(), b.Workload)
	l := newLedger(run, b.Workload, b.Queues)
	last := map[history.Key]*obituary{}
	var all []*obituary
	keys := map[uint64]history.Key{}
	for _, o := range l.ops {
		switch {
		case o.Kind == Died:
			last[o.Key] = &obituary{died: o, tokens: map[uint64]bool{}}
			all = append(all, last[o.Key])
		case o.Kind == Attempted && last[o.Key] != nil:
			if last[o.Key].tokens[o.Token] {
				v.Add(KindHistory, o.Call, "token %d is told twice: %s", o.Token, o)
			}
			last[o.Key].tokens[o.Token] = true
		case o.Kind == history.Deliver && !isDead(o):
			keys[o.Token] = o.Key
		}
	}
	for _, x := range all {
		b.one(v, l.message(x.died.Key), x, keys)
	}
	v.Saw("dead letters", int64(len(last)), b.Floor)
	return v.Done()
}

func (b Obituaries) one(v *Verdict, m *message, x *obituary, keys map[uint64]history.Key) {
	o := x.died
	told := len(x.tokens) + int(o.Value)
	if o.Dead == "failures" && o.Failures != b.Limit {
		v.Add(KindHistory, o.Call, "dead by %d failures, not %d: %s", o.Failures, b.Limit, o)
	}
	if told < o.Failures || told > o.Attempt {
		v.Add(KindHistory, o.Call, "it tells of %d attempts without success, and had %d failures and %d attempts: %s",
			told, o.Failures, o.Attempt, o)
	}
	for token := range x.tokens {
		if k, known := keys[token]; known && k != o.Key {
			v.Add(KindHistory, o.Call, "token %d was of %s: %s", token, k, o)
		}
	}
	for _, d := range m.source.deliveries {
		if n := nackOf(&m.source, d); n != nil && o.Value == 0 && n.Code == "" && !x.tokens[n.Token] {
			v.Add(KindHistory, o.Call, "it does not tell of token %d, nacked at %.3fs: %s", n.Token, float64(n.Call)/1e9, o)
		}
	}
}
