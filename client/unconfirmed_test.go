package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// sentBodies notes the bodies of what is published, each time that it is sent,
// and then does what next says.
func (c *fakeCluster) sentBodies(next func(fc *fakeConn, f transport.Frame, bodies []string) bool) (all func() []string) {
	var seen []string
	c.setHook(func(fc *fakeConn, f transport.Frame) bool {
		if f.Op != transport.OpPublish {
			return false
		}
		var p transport.Publish
		c.must(p.Decode(f.Payload))
		var bodies []string
		c.must(transport.EachRecord(p.Records, p.Count, func(b []byte) error {
			v, err := record.Parse(b)
			bodies = append(bodies, string(v.Body()))
			return err
		}))
		c.mu.Lock()
		seen = append(seen, bodies...)
		c.mu.Unlock()
		return next(fc, f, bodies)
	})
	return func() []string { return read(c, func() []string { return slices.Clone(seen) }) }
}

func unconfirmed1(t *testing.T, conn *Conn, body string) {
	t.Helper()
	if err := conn.PublishUnconfirmed(t.Context(), "q", Message{Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
}

// What was sent once is not sent again, whatever became of it: its link is
// lost, its node has no leader, the session is over, it was overtaken. A
// confirmed publish beside it is.
func TestUnconfirmedIsSentOnce(t *testing.T) {
	code := func(code transport.Code) func(*fakeConn, transport.Frame) {
		return func(fc *fakeConn, f transport.Frame) { fc.answer(f.Stream, transport.Result{Code: code}) }
	}
	for name, fault := range map[string]func(*fakeConn, transport.Frame){
		"the link is lost":             func(fc *fakeConn, _ transport.Frame) { fc.t.Close() },
		"the link is lost after it":    func(fc *fakeConn, f transport.Frame) { fc.t.Close(); fc.take(f) },
		"there is no leader":           code(transport.CodeNoLeader),
		"the outcome is unknown":       code(transport.CodeUnknownOutcome),
		"it was overtaken":             code(transport.CodeOvertaken),
		"the session is over":          func(fc *fakeConn, f transport.Frame) { fc.node.cluster.expire(); fc.take(f) },
		"the window of the node":       func(fc *fakeConn, f transport.Frame) { fc.answer(f.Stream, busyWindow) },
		"the node has another session": code(transport.CodeInternal),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFakeCluster(t, "n1")
				conn := c.connect()
				defer conn.Close()
				publish(t, conn, "first")
				all := c.sentBodies(func(fc *fakeConn, f transport.Frame, bodies []string) bool {
					if bodies[0] != "once" {
						return false
					}
					fault(fc, f)
					return true
				})
				unconfirmed1(t, conn, "once")
				synctest.Wait()
				time.Sleep(time.Minute)
				unconfirmed1(t, conn, "next")
				if err := conn.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // it is answered all the same
				publish(t, conn, "last")
				equal(t, "sent", all(), []string{"once", "next", "last"})
				if h := c.view().lastSeen(); h.AnsweredThrough != h.Number-1 {
					t.Errorf("something stayed open: %+v", h)
				}
			})
		})
	}
}

var busyWindow = transport.Result{Code: transport.CodeBusy, Cause: transport.CauseWindow}

// Of what shares a lost link, the confirmed is sent again and the other not.
func TestUnconfirmedBesideConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		publish(t, conn, "first")
		all := c.sentBodies(func(fc *fakeConn, f transport.Frame, bodies []string) bool {
			return slices.Contains(bodies, "lost") // never answered
		})
		unconfirmed1(t, conn, "lost")
		synctest.Wait()
		told := 0
		for i := range 3 {
			unconfirmed1(t, conn, fmt.Sprint("u", i))
			err := conn.PublishAsync(t.Context(), "q", Message{Body: fmt.Append(nil, "c", i)}, func(_ Receipt, err error) {
				if err != nil {
					t.Error(err)
				}
				told++
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		c.cut("")
		if err := conn.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		times := map[string]int{}
		for _, body := range all() {
			times[body]++
		}
		for _, once := range []string{"lost", "u0", "u1", "u2"} {
			if times[once] != 1 {
				t.Errorf("%s was sent %d times", once, times[once])
			}
		}
		if told != 3 {
			t.Errorf("%d of 3 were confirmed", told)
		}
	})
}

// The window bounds what is under way; what waits for room ends with its
// context, and what waits for a connection is sent when there is one.
func TestUnconfirmedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect(WithMaxInFlight(2, 1<<20))
		defer conn.Close()
		publish(t, conn, "first")
		var held []func()
		all := c.sentBodies(func(fc *fakeConn, f transport.Frame, _ []string) bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			held = append(held, func() { fc.take(f) })
			return true
		})
		unconfirmed1(t, conn, "a")
		unconfirmed1(t, conn, "b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := conn.PublishUnconfirmed(ctx, "q", Message{Body: []byte("c")})
		if !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a full window: %v", err)
		}
		if err := conn.Flush(t.Context()); err != nil { // sent, and not answered
			t.Fatal(err)
		}
		for _, answer := range read(c, func() []func() { return slices.Clone(held) }) {
			answer()
		}
		synctest.Wait()
		c.setHook(nil)
		unconfirmed1(t, conn, "d")
		synctest.Wait()
		equal(t, "sent", all(), []string{"a", "b"})
		equal(t, "applied", c.bodies(), []string{"first", "a", "b", "d"})

		c.setDown("n1", true)
		synctest.Wait()
		unconfirmed1(t, conn, "later")
		time.Sleep(defaultRequestTimeout + second)
		c.setDown("n1", false)
		publish(t, conn, "last")
		equal(t, "applied", c.bodies(), []string{"first", "a", "b", "d", "later", "last"})
		if err := conn.PublishUnconfirmed(t.Context(), "no/name", Message{}); !errors.Is(err, ErrInvalid) {
			t.Errorf("a bad name: %v", err)
		}
		conn.Close()
		if err := conn.PublishUnconfirmed(t.Context(), "q", Message{}); !errors.Is(err, ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// What is under way when the connection moves to the leader is not sent there.
func TestUnconfirmedWhileTheConnectionMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2")
		c.setLeader("n2")
		c.setDown("n2", true)
		conn := c.connect()
		defer conn.Close()
		publish(t, conn, "first")
		all := c.sentBodies(func(_ *fakeConn, _ transport.Frame, bodies []string) bool {
			return bodies[0] == "under way" // n1 never answers
		})
		unconfirmed1(t, conn, "under way")
		c.setDown("n2", false)
		time.Sleep(probeFirst + second)
		synctest.Wait()
		if conn.Node() != "n2" {
			t.Fatalf("connected to %q", conn.Node())
		}
		unconfirmed1(t, conn, "next")
		publish(t, conn, "last")
		equal(t, "sent", all(), []string{"under way", "next", "last"})
		equal(t, "stored", c.bodies(), []string{"first", "next", "last"})
	})
}
