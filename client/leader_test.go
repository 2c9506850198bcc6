package client

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

func TestFollowsTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2", "n3")
		c.setLeader("n3")
		conn := c.connect()
		defer conn.Close()
		publish(t, conn, "a")
		if conn.Node() != "n3" || conn.State() != Connected {
			t.Errorf("connected to %q, %v", conn.Node(), conn.State())
		}
		fc, handle := c.attached()
		c.setLeader("n2")
		fc.send(transport.OpReattach, 0, transport.Reattach{Handle: handle, Group: c.info()})
		synctest.Wait()
		publish(t, conn, "b")
		if conn.Node() != "n2" {
			t.Errorf("connected to %q", conn.Node())
		}
		last := c.view().lastAttach()
		if last.Epoch != 2 || c.view().sessions != 1 {
			t.Errorf("epoch %d in %d sessions", last.Epoch, c.view().sessions)
		}
		equal(t, "applied", c.bodies(), []string{"a", "b"})
	})
}

func TestStaysWhereToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2")
		c.setLeader("n2")
		conn := c.connect(WithFollowLeader(false))
		defer conn.Close()
		publish(t, conn, "a")
		fc, handle := c.attached()
		fc.send(transport.OpReattach, 0, transport.Reattach{Handle: handle, Group: c.info()})
		synctest.Wait()
		publish(t, conn, "b")
		if conn.Node() != "n1" {
			t.Errorf("moved to %q", conn.Node())
		}
		if last := c.view().lastAttach(); last.Epoch != 1 || len(c.view().attaches) != 2 {
			t.Errorf("the same connection attached %d times, last in epoch %d", len(c.view().attaches), last.Epoch)
		}
	})
}

func TestMovesToALeaderThatComesWithinReach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2")
		c.setLeader("n2")
		c.setDown("n2", true)
		conn := c.connect()
		defer conn.Close()
		publish(t, conn, "a")
		if conn.Node() != "n1" {
			t.Fatalf("connected to %q", conn.Node())
		}
		c.setDown("n2", false)
		time.Sleep(probeFirst + second)
		synctest.Wait()
		publish(t, conn, "b")
		if conn.Node() != "n2" {
			t.Errorf("still connected to %q", conn.Node())
		}
	})
}

func TestAnotherNodeWhenTheLeaderDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2", "n3")
		var states []State
		conn := c.connect(WithStateFunc(func(s State, _ error) { states = append(states, s) }))
		publish(t, conn, "a")
		c.setDown("n1", true) // the others still think that it leads
		c.setLeader("")
		start := time.Now()
		time.AfterFunc(800*time.Millisecond, func() { c.setLeader("n2") })
		publish(t, conn, "b")
		if gap := time.Since(start); gap > 1200*time.Millisecond {
			t.Errorf("the gap is %v", gap)
		}
		conn.Close()
		synctest.Wait() // until the node has read it
		if conn.State() != Closed || !slices.Contains(states, Reconnecting) {
			t.Errorf("states %v", states)
		}
		equal(t, "applied", c.bodies(), []string{"a", "b"})
		if c.view().ended != 1 {
			t.Errorf("%d sessions given up", c.view().ended)
		}
	})
}

func TestNoLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2")
		c.setLeader("")
		conn := c.connect()
		defer conn.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op == transport.OpOpen {
				fc.answer(f.Stream, transport.Result{Code: transport.CodeNoLeader})
				return true
			}
			return false
		})
		_, err := conn.Publish(ctx, "q", Message{})
		if !errors.Is(err, ErrNoLeader) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("without a leader: %v", err)
		}
		c.setHook(nil)
		c.setLeader("n2")
		publish(t, conn, "later")
		equal(t, "applied", c.bodies(), []string{"later"})
	})
}

// TestBusyAttachIsTriedAgain: an entry of the log takes only so many leases with
// it. The same node is asked again, after the time that it says, however often.
func TestBusyAttachIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tries = 3 * attachTries
		c := newFakeCluster(t, "n1", "n2")
		refused, began, asked := 0, time.Now(), map[*fakeNode]bool{}
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op != transport.OpAttach || refused == tries {
				return false
			}
			refused++
			asked[fc.node] = true
			fc.answer(f.Stream, transport.Result{Code: transport.CodeBusy, Cause: transport.CauseEntry, RetryAfterMs: 50})
			return true
		})
		conn := c.connect()
		defer conn.Close()
		publish(t, conn, "a")
		equal(t, "applied", c.bodies(), []string{"a"})
		if refused != tries || time.Since(began) < tries*50*time.Millisecond || len(asked) != 1 {
			t.Errorf("refused %d times in %v, by %d nodes", refused, time.Since(began), len(asked))
		}
	})
}

// TestAttachedFunc: a consumer's user learns when silence means nothing.
func TestAttachedFunc(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		var told []bool
		k, err := conn.Consume(t.Context(), "q", new(gather).handle, WithAttachedFunc(func(on bool) { told = append(told, on) }))
		if err != nil {
			t.Fatal(err)
		}
		defer k.Stop(t.Context())
		equal(t, "told", told, []bool{true})
		leaderGone := func(gone bool) {
			c.setLeader(map[bool]string{true: "", false: "n1"}[gone])
			fc, handle := c.attached()
			fc.send(transport.OpReattach, 0, transport.Reattach{Handle: handle, Group: c.info()})
			time.Sleep(3 * second)
			synctest.Wait()
		}
		leaderGone(true)
		equal(t, "told", told, []bool{true, false})
		leaderGone(false)
		equal(t, "told", told, []bool{true, false, true})
	})
}
