package client

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// leaderlessWays are what a client may be doing while its node is cut off.
var leaderlessWays = map[string]struct {
	before, during func(t *testing.T, conn *Conn)
}{
	"publishing": {
		before: func(t *testing.T, conn *Conn) { publish(t, conn, "a") },
		during: func(t *testing.T, conn *Conn) { publish(t, conn, "b") },
	},
	"publishing for the first time": {
		during: func(t *testing.T, conn *Conn) { publish(t, conn, "a") },
	},
	"reading": {
		during: func(t *testing.T, conn *Conn) {
			if _, err := conn.Cluster(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := conn.Queue(t.Context(), "q"); err != nil {
				t.Error(err)
			}
		},
	},
	"reading, with a session": {
		before: func(t *testing.T, conn *Conn) { publish(t, conn, "a") },
		during: func(t *testing.T, conn *Conn) {
			if _, err := conn.Cluster(t.Context()); err != nil {
				t.Error(err)
			}
		},
	},
	"waiting for messages": {
		before: func(t *testing.T, conn *Conn) { consume(t, conn, new(gather).handle) },
	},
	"nothing": {
		before: func(t *testing.T, conn *Conn) { publish(t, conn, "a") },
	},
}

// A node that is cut off from the others and not from its clients is left.
func TestLeavesANodeWithoutALeader(t *testing.T) {
	for name, way := range leaderlessWays {
		for _, follow := range []bool{true, false} {
			t.Run(name+map[bool]string{true: "", false: ", staying on the URL's nodes"}[follow], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newFakeCluster(t, "n1", "n2", "n3")
					url := map[bool]string{true: "ferry://n1:7700", false: "ferry://n1:7700,n2:7700"}[follow]
					c.setDown("n2", true) // so that n1 is the first
					conn, err := Dial(t.Context(), url, WithDialer(c.dial), WithFollowLeader(follow))
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
					c.setDown("n2", false)
					if way.before != nil {
						way.before(t, conn)
					}
					c.cutOff("n1", true)
					c.setLeader("n3")
					start := time.Now()
					if way.during != nil {
						way.during(t, conn)
						if took := time.Since(start); took > 2*second {
							t.Errorf("it took %v", took)
						}
					}
					time.Sleep(2*second - time.Since(start))
					synctest.Wait()
					want := map[bool]string{true: "n3", false: "n2"}[follow]
					if conn.Node() != want || conn.State() != Connected {
						t.Errorf("%v to %q", conn.State(), conn.Node())
					}
					if n := c.dials("n3"); !follow && n != 0 {
						t.Errorf("a node that the URL does not name was dialled %d times", n)
					}
				})
			})
		}
	}
}

// While nobody knows a leader the link stays where it is, and the others are
// asked ever less often.
func TestNobodyKnowsALeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2", "n3")
		var states []State
		conn := c.connect(WithStateFunc(func(s State, _ error) { states = append(states, s) }))
		defer conn.Close()
		publish(t, conn, "a")
		c.setLeader("")
		for _, n := range []string{"n1", "n2", "n3"} {
			c.cutOff(n, true)
		}
		before := c.dials("n1")
		time.Sleep(60 * time.Second)
		if conn.Node() != "n1" || c.dials("n1") != before {
			t.Errorf("at %q, dialled %d times", conn.Node(), c.dials("n1")-before)
		}
		if n := c.dials("n2"); n < 5 || n > 25 || c.dials("n3") != n {
			t.Errorf("the others were dialled %d and %d times", n, c.dials("n3"))
		}
		_, err := conn.Cluster(t.Context())
		if !errors.Is(err, ErrNoLeader) || !errors.Is(err, ErrTimeout) {
			t.Error(err)
		}
		c.setLeader("n2")
		c.cutOff("n2", false)
		start := time.Now()
		publish(t, conn, "b")
		if took := time.Since(start); took > 8*second || conn.Node() != "n2" {
			t.Errorf("it took %v to come to %q", took, conn.Node())
		}
		equal(t, "applied", c.bodies(), []string{"a", "b"})
		if len(states) > 4 {
			t.Errorf("states %v", states)
		}
	})
}

// An election that takes no longer than usual moves nobody.
func TestStaysForAnElection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2")
		conn := c.connect()
		defer conn.Close()
		publish(t, conn, "a")
		for range 20 {
			c.cutOff("n1", true)
			time.Sleep(700 * time.Millisecond)
			c.cutOff("n1", false)
			publish(t, conn, "b")
		}
		if n := c.dials("n1") + c.dials("n2"); n != 1 || conn.Node() != "n1" {
			t.Errorf("%d dials, at %q", n, conn.Node())
		}
	})
}
