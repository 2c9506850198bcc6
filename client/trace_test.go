package client

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/ferrymq/ferrymq/transport"
)

func TestAnswersAreTraced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		var mu sync.Mutex
		var answers []Answer
		conn := c.connect(WithAnswerFunc(func(a Answer) {
			mu.Lock()
			defer mu.Unlock()
			answers = append(answers, a)
		}))
		defer conn.Close()
		receipt, err := conn.Publish(t.Context(), "q", Message{Body: []byte("a")})
		if err != nil {
			t.Fatal(err)
		}
		g := &gather{}
		consume(t, conn, g.handle)
		c.deliver(1, 10, false, "a")
		synctest.Wait()

		mu.Lock()
		defer mu.Unlock()
		id, _ := conn.Session()
		by := map[string]Answer{}
		for _, a := range answers {
			if a.Session != id || a.Number == 0 || a.Sends != 1 {
				t.Errorf("answer %+v", a)
			}
			by[a.Op] = a
		}
		if p := by["publish"]; p.Resource != "q" || p.Index != receipt.ID.Index || p.Position != receipt.ID.Position {
			t.Errorf("publish %+v, receipt %v", p, receipt.ID)
		}
		if s := by["settle"]; !slices.Equal(s.Tokens, []uint64{10}) || !slices.Equal(s.Actions, []transport.Action{transport.ActionAck}) {
			t.Errorf("settle %+v", s)
		}
		if len(by) != 3 { // and the consumer
			t.Errorf("answers %+v", answers)
		}
	})
}
