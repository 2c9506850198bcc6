package client

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// TestAnswersAreTheirOwn: the memory in which answers are decoded is used again
// while who asked still reads; the race detector sees it.
func TestAnswersAreTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		conn := c.connect()
		defer conn.Close()
		var asking sync.WaitGroup
		for range 4 {
			asking.Go(func() {
				for range 50 {
					if n, err := conn.PurgeQueue(t.Context(), "q"); err != nil || n != 3 {
						t.Errorf("purged %d, %v", n, err)
					}
				}
			})
		}
		asking.Wait()
	})
}

func TestAsksTheCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2")
		conn := c.connect()
		defer conn.Close()
		ctx := t.Context()
		if info, err := conn.Queue(ctx, "q"); err != nil || info.Name != "q" || info.Ready != 7 {
			t.Errorf("queue: %+v, %v", info, err)
		}
		var names []string
		for info, err := range conn.Queues(ctx, "") {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, info.Name)
		}
		equal(t, "queues", names, []string{"a", "b", "c"})
		if info, err := conn.Cluster(ctx, Stale()); err != nil || info.Groups[0].Leader != "n1" || !slices.Equal(info.Groups[0].Alarms, []string{"disk"}) {
			t.Errorf("cluster: %+v, %v", info, err)
		}
		if _, err := conn.Ping(ctx); err != nil {
			t.Error(err)
		}
		if c.view().sessions != 0 {
			t.Error("reads made a session")
		}
		if err := conn.TransferLeader(ctx, "n2"); err != nil {
			t.Error(err)
		}
		if err := conn.CreateQueue(ctx, "q", QueueSettings{Lease: time.Minute}); err != nil {
			t.Error(err)
		}
		if err := conn.CreateQueue(ctx, "q", QueueSettings{Lease: time.Millisecond}); !errors.Is(err, ErrInvalid) {
			t.Errorf("a lease of 1 ms: %v", err)
		}
		if n, err := conn.PurgeQueue(ctx, "q"); err != nil || n != 3 {
			t.Errorf("purged %d, %v", n, err)
		}
		c.setVerdict(func(transport.Op, []byte) *transport.Result {
			return &transport.Result{Code: transport.CodeInUse, Detail: "not empty"}
		})
		if err := conn.DeleteQueue(ctx, "q", IfEmpty()); !errors.Is(err, ErrInUse) {
			t.Errorf("delete: %v", err)
		}
		// A read that the node cannot answer now is asked again.
		tries := 0
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if tries++; f.Op != transport.OpQuery || tries > 2 {
				return false
			}
			fc.send(transport.OpError, f.Stream, transport.Errorf(transport.CodeNoLeader, "electing"))
			return true
		})
		if _, err := conn.Queue(ctx, "q"); err != nil || tries != 3 {
			t.Errorf("after %d tries: %v", tries, err)
		}
		// A change whose answer is lost is not repeated.
		c.setHook(func(fc *fakeConn, f transport.Frame) bool { return f.Op == transport.OpControl })
		lost := make(chan error, 1)
		go func() { lost <- conn.RemoveNode(ctx, "n2") }()
		synctest.Wait()
		c.cut("")
		if err := <-lost; !errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("lost: %v", err)
		}
	})
}

// A request that is due while there is no connection waits for one, and keeps
// nobody busy: in the bubble, time goes on only while all goroutines wait.
func TestDueRequestWaitsForAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1", "n2")
		conn := c.connect()
		defer conn.Close()
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op == transport.OpQuery {
				fc.send(transport.OpError, f.Stream, transport.Errorf(transport.CodeNoLeader, "electing"))
			}
			return f.Op == transport.OpQuery
		})
		answer := make(chan error, 1)
		go func() {
			_, err := conn.Queue(t.Context(), "q")
			answer <- err
		}()
		synctest.Wait()
		for _, name := range []string{"n1", "n2"} {
			c.setDown(name, true)
		}
		c.cut("")
		time.Sleep(5 * time.Second)
		c.setHook(nil)
		for _, name := range []string{"n1", "n2"} {
			c.setDown(name, false)
		}
		if err := <-answer; err != nil {
			t.Error(err)
		}
	})
}
