package broker

import (
	"testing"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/fsm/body"
	"github.com/ferrymq/ferrymq/transport"
)

func (c *testClient) nextAnswer() transport.Answer {
	c.t.Helper()
	e := c.eventsWith(func(e *transport.Events) bool { return len(e.Answers) > 0 })
	c.putBack(&transport.Events{Results: e.Results, Deliveries: e.Deliveries, Closed: e.Closed, Answers: e.Answers[1:]})
	return e.Answers[0]
}

// TestAnswersAreRouted: how a request ended is told on the connection of
// whoever asked, wherever it is; with the record of the answer, if there is
// one, and to nobody else.
func TestAnswersAreRouted(t *testing.T) {
	var bodies body.Store
	if err := bodies.Add(7, 3, []byte("an answer"), 3, 6); err != nil {
		t.Fatal(err)
	}
	ref, err := bodies.Get(7, 3)
	if err != nil {
		t.Fatal(err)
	}
	p := newPair(t)
	near, far := attached(t, p.a, 1), attached(t, p.b, 2)
	near.create("q")
	effect := func(session byte, node string, number uint64) fsm.Effect {
		return fsm.Effect{Kind: fsm.EffectAnswer, Session: fsm.SessionID{session}, Epoch: 1, Node: node, Number: number}
	}
	for i, c := range []*testClient{near, far} {
		session, node := byte(i+1), []string{"a", "b"}[i]
		answered := effect(session, node, 11)
		answered.ID, answered.Body = fsm.ID{Group: 9, Index: 7, Position: 3}, ref
		late := effect(session, node, 12)
		late.Code = fsm.Expired
		fenced := effect(session, node, 13)
		fenced.Epoch = 4
		p.g.mu.Lock()
		p.g.also = []fsm.Effect{fenced, answered, late, effect(session, node, 14)}
		p.g.mu.Unlock()
		near.wantCode(near.publish("q", "x"), transport.CodeOK) // any entry
		a := c.nextAnswer()
		if a.Handle != 1 || a.Number != 11 || a.Code != transport.CodeOK || string(a.Record) != "answer" ||
			a.Group != 9 || a.Index != 7 || a.Position != 3 {
			t.Fatalf("%+v", a)
		}
		if a = c.nextAnswer(); a.Number != 12 || a.Code != transport.CodeExpired || len(a.Record) != 0 {
			t.Fatalf("%+v", a)
		}
		if a = c.nextAnswer(); a.Number != 14 || a.Code != transport.CodeOK || len(a.Record) != 0 {
			t.Fatalf("%+v", a)
		}
	}
}
