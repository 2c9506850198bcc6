package check

import (
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Requests judges requests and their answers. An answer is that to its
// request, and somebody gave it; an outcome that says that nothing was done is
// true; and what is not to be tried again is worked on once.
type Requests struct {
	Workload string
	Again    string // the queue of requests that may be tried again
	Once     string // the queue of those that may not

	Floors RequestsFloors
}

// RequestsFloors is how many requests have to have been seen.
type RequestsFloors struct {
	Answered int64
	Once     int64 // answered, of those that may not be tried again
	Refused  int64 // that nobody was there for, or that ended with their message
}

func (r Requests) Name() string { return "requests" }

// question is a request with all that happened to it.
type question struct {
	ask     *history.Op
	works   []*history.Op // deliveries
	answers []*history.Op // replies, and other settles
}

// Check is linear in the operations.
func (r Requests) Check(run *history.Run) Verdict {
	v := NewVerdict(r.Name(), r.Workload)
	all := map[history.Key]*question{}
	gone := map[uint32][]*history.Op{}
	var order []*question
	for _, o := range pick(run, r.Workload, []string{r.Again, r.Once}) {
		if o.Kind == history.Gone {
			gone[o.Client] = append(gone[o.Client], o)
		}
		if o.Key == (history.Key{}) || isDead(o) {
			continue
		}
		q := all[o.Key]
		if q == nil {
			q = &question{}
			all[o.Key], order = q, append(order, q)
		}
		switch o.Kind {
		case Ask:
			q.ask = o
		case history.Deliver:
			q.works = append(q.works, o)
		case Reply, history.Ack, history.Nack, history.Reject:
			q.answers = append(q.answers, o)
		}
	}
	answered, once, refused := int64(0), int64(0), int64(0)
	for _, q := range order {
		if q.ask == nil {
			if len(q.works) == 0 {
				continue
			}
			v.Add(KindUnexpected, q.works[0].Call, "nobody asked: %s", q.works[0])
			continue
		}
		r.outcome(v, q)
		if q.ask.Queue == r.Once {
			r.once(v, q, gone)
		}
		switch {
		case q.ask.Outcome == history.OK && q.ask.Queue == r.Once:
			once++
			fallthrough
		case q.ask.Outcome == history.OK:
			answered++
		case ended[q.ask.Code]:
			refused++
		}
	}
	v.Saw("answered", answered, r.Floors.Answered)
	v.Saw("answered of those once", once, r.Floors.Once)
	v.Saw("ended otherwise", refused, r.Floors.Refused)
	return v.Done()
}

// ended are outcomes of a request that was stored or found nobody.
var ended = map[string]bool{"no_responders": true, "expired": true, "dead_lettered": true, "responder_lost": true}

// undone are outcomes that say that nothing was stored.
var undone = map[string]bool{
	"no_responders": true, "busy": true, "timeout": true, "no_leader": true, "shutting_down": true, "overtaken": true,
	"session_expired": true, "closed": true, "fenced": true,
}

// outcome judges how a request ended.
func (r Requests) outcome(v *Verdict, q *question) {
	a := q.ask
	for _, d := range q.works {
		if d.Call < a.Call {
			v.Add(KindEarly, d.Call, "asked at %.3fs: %s", float64(a.Call)/1e9, d)
		}
	}
	given := slices.ContainsFunc(q.answers, func(s *history.Op) bool {
		return (s.Kind == Reply || s.Kind == history.Ack) && maybe(s) && s.Call <= a.Return
	})
	settled := slices.ContainsFunc(q.answers, func(s *history.Op) bool { return s.Kind != Reply && maybe(s) && s.Call <= a.Return })
	switch {
	case a.Outcome == history.Pending:
		v.Add(KindUnanswered, a.Call, "%s", a)
	case a.Outcome == history.OK && a.Code == CodeWrong:
		v.Add(KindAnswer, a.Return, "%s: %s", a.Error, a)
	case a.Outcome == history.OK && !given:
		v.Add(KindAnswer, a.Return, "nobody gave that answer: %s", a)
	case a.Outcome != history.Fail:
	case undone[a.Code]:
		if len(q.works) > 0 {
			v.Add(KindGhost, q.works[0].Call, "%s was refused (%s), and then: %s", a.Key, a.Code, q.works[0])
		}
	case a.Code == "responder_lost" && a.Queue != r.Once:
		v.Add(KindOutcome, a.Return, "it was to be tried again: %s", a)
	case a.Code == "dead_lettered" && !settled && len(q.works) == 0:
		v.Add(KindOutcome, a.Return, "nobody worked on it: %s", a)
	case !ended[a.Code]:
		v.Add(KindOutcome, a.Return, "%s", a)
	}
}

// once: nobody is given a request that somebody else began, unless that one
// handed it back.
func (r Requests) once(v *Verdict, q *question, gone map[uint32][]*history.Op) {
	for i, d := range q.works[min(1, len(q.works)):] {
		before := q.works[i]
		back := slices.ContainsFunc(q.answers, func(s *history.Op) bool {
			return s.Kind == history.Nack && s.Token == before.Token && maybe(s) && s.Call <= d.Call
		}) || slices.ContainsFunc(gone[before.Client], func(g *history.Op) bool {
			return g.Consumer == before.Consumer && g.Call <= d.Call && g.Call >= before.Call
		})
		if !back {
			v.Add(KindTwice, d.Call, "somebody began at %.3fs: %s", float64(before.Call)/1e9, d)
		}
	}
}
