package client

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// renew has the session expire and waits until there is a new one.
func renew(c *fakeCluster) {
	c.expire()
	c.cut("")
	time.Sleep(second)
	synctest.Wait()
}

// Assignments without acks begin anew with a new session: what was prefetched
// in the old one must not be counted in it.
func TestCreditAfterASessionExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		g := &gather{gate: make(chan struct{})}
		consume(t, conn, g.handle, WithoutAcks(), WithPrefetch(4))
		c.deliver(1, 101, true, "a", "b", "c")
		synctest.Wait()
		renew(c)
		close(g.gate)
		synctest.Wait()
		c.deliver(1, 1, true, "d", "e", "f")
		synctest.Wait()
		equal(t, "handled", g.bodies(), []string{"a", "b", "c", "d", "e", "f"})
		credits := c.view().credits
		mine := slices.DeleteFunc(credits, func(k transport.Credit) bool { return k.Handle == 1 })
		if len(mine) == 0 || mine[len(mine)-1].Through > 3 || mine[0].Through > 3 {
			t.Errorf("credits %+v", credits)
		}
	})
}

// A consumer that was stopped is not given to the new session.
func TestAStoppedConsumerIsNotRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		g := &gather{gate: make(chan struct{})}
		k := consume(t, conn, g.handle)
		c.deliver(1, 10, false, "a")
		synctest.Wait()
		go k.Stop(t.Context())
		synctest.Wait()
		renew(c)
		if n := len(c.view().consumes); n != 1 {
			t.Errorf("attached %d times", n)
		}
		close(g.gate)
		<-k.Done()
	})
}

// Tokens of a group that was made anew begin anew, too.
func TestTokensOfANewSessionAreNotRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		g := &gather{}
		consume(t, conn, g.handle)
		c.deliver(1, 1, false, "a")
		synctest.Wait()
		renew(c)
		c.deliver(1, 1, false, "b")
		synctest.Wait()
		equal(t, "handled", g.bodies(), []string{"a", "b"})
	})
}

// What a node refuses before it is judged is not tried again by users if it is
// a settle or a cancel: the lease would be held for ever.
func TestABusyNodeLosesNoSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		g := &gather{}
		k := consume(t, conn, g.handle)
		refused := map[transport.Op]bool{}
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op != transport.OpSettle && f.Op != transport.OpCancel || refused[f.Op] {
				return false
			}
			refused[f.Op] = true
			fc.answer(f.Stream, transport.Result{Code: transport.CodeBusy, Cause: transport.CauseOutbox})
			return true
		})
		c.deliver(1, 10, false, "a")
		synctest.Wait()
		if err := k.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		equal(t, "settles", actions(c.settles()), []string{"ack 10"})
		if n := len(c.view().cancels); n != 1 || len(refused) != 2 {
			t.Errorf("%d cancels, refused %v", n, refused)
		}
	})
}

// A node's own refusal says nothing of a number that was sent before.
func TestRefusalOfAnotherNodeIsNotAVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		sends := 0
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op != transport.OpPublish {
				return false
			}
			if sends++; sends == 1 { // as if it were applied, and the answer lost
				fc.answer(f.Stream, transport.Result{Code: transport.CodeUnknownOutcome})
			} else {
				fc.answer(f.Stream, transport.Result{Code: transport.CodeTooLarge})
			}
			return true
		})
		_, err := conn.Publish(t.Context(), "q", Message{Body: []byte("x")})
		if !errors.Is(err, ErrUnknownOutcome) {
			t.Error(err)
		}
	})
}

// Who takes a session over shares its epoch with nobody who raises his own.
func TestTakingOverLeavesEpochsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		id, secret := [16]byte{1}, [16]byte{2}
		holder := c.connect(WithSession(id, secret))
		defer holder.Close()
		publish(t, holder, "a")
		before := c.view().lastAttach().Epoch
		taker := c.connect(WithSession(id, secret))
		defer taker.Close()
		publish(t, taker, "b")
		if after := c.view().lastAttach().Epoch; after == before+1 {
			t.Errorf("epoch %d after %d is what the holder takes with its next connection", after, before)
		}
	})
}
