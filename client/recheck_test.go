package client

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// The news that a queue was deleted may be lost with a link or a leader. Who
// attaches again finds out, and a consumer whose queue is still there goes on.
func TestMissedEndOfAConsumer(t *testing.T) {
	for name, now := range map[string]struct {
		incarnation uint64
		failures    int64 // of the look at the queue
		ends        bool
	}{
		"the queue is still there":          {incarnation: 5},
		"it is there, and was hard to find": {incarnation: 5, failures: 2},
		"it was deleted":                    {ends: true},
		"it was deleted and made again":     {incarnation: 9, ends: true},
		"and it took two tries to know":     {incarnation: 9, failures: 2, ends: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newFakeCluster(t, "n1")
				c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
					if op == transport.OpConsume {
						return &transport.Result{Value: 5}
					}
					return nil
				})
				var looks atomic.Int64
				c.setHook(func(fc *fakeConn, f transport.Frame) bool {
					if f.Op != transport.OpQuery {
						return false
					}
					switch n := looks.Add(1); {
					case n <= now.failures:
						fc.send(transport.OpError, f.Stream, transport.Errorf(transport.CodeLimit, "not now"))
					case now.incarnation == 0:
						fc.send(transport.OpError, f.Stream, transport.Errorf(transport.CodeNotFound, "no such queue"))
					default:
						info := transport.QueueInfo{Name: "q", Incarnation: now.incarnation}
						fc.send(transport.OpQueryReply, f.Stream, transport.QueryReply{Body: info.AppendTo(nil)})
					}
					return true
				})
				conn := c.connect()
				defer conn.Close()
				k := consume(t, conn, new(gather).handle)
				if n := looks.Load(); n != 0 {
					t.Errorf("%d looks before anything was lost", n)
				}
				c.cut("")
				time.Sleep(10 * time.Second)
				select {
				case <-k.Done():
					if !now.ends || !errors.Is(k.Err(), ErrNotFound) {
						t.Errorf("ended with %v", k.Err())
					}
				default:
					if now.ends {
						t.Error("the consumer waits for messages of a queue that is gone")
					}
				}
				if n := looks.Load(); n != now.failures+1 {
					t.Errorf("%d looks", n)
				}
			})
		})
	}
}

// lookAt has queries of queues answered with an incarnation, 0 for none, and
// new consumers attached to it.
func lookAt(c *fakeCluster, incarnation *atomic.Uint64) {
	c.setVerdict(func(op transport.Op, _ []byte) *transport.Result {
		if op == transport.OpConsume {
			return &transport.Result{Value: incarnation.Load()}
		}
		return nil
	})
	c.setHook(func(fc *fakeConn, f transport.Frame) bool {
		if f.Op == transport.OpQuery {
			info := transport.QueueInfo{Name: "q", Incarnation: incarnation.Load()}
			fc.send(transport.OpQueryReply, f.Stream, transport.QueryReply{Body: info.AppendTo(nil)})
		}
		return f.Op == transport.OpQuery
	})
}

// The answer to a Consume may be lost too, and with it the news that the queue
// was deleted right after. The answer is kept, and tells of a queue that is gone.
func TestMissedEndOfAConsumerThatWasNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		var incarnation atomic.Uint64
		incarnation.Store(5)
		lookAt(c, &incarnation)
		look, lost := c.hook, false
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op == transport.OpConsume && !lost {
				lost = true
				fc.t.Close()
				fc.take(f) // applied, and not answered
				incarnation.Store(9)
				return true
			}
			return look(fc, f)
		})
		conn := c.connect()
		defer conn.Close()
		k := consume(t, conn, new(gather).handle)
		time.Sleep(10 * time.Second)
		select {
		case <-k.Done():
			if !errors.Is(k.Err(), ErrNotFound) {
				t.Errorf("ended with %v", k.Err())
			}
		default:
			t.Error("the consumer waits for messages of a queue that is gone")
		}
	})
}

// A new session attaches its consumers to the queue that is there now, however
// often the link is lost meanwhile.
func TestANewSessionTakesTheQueueThatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeCluster(t, "n1")
		var incarnation atomic.Uint64
		incarnation.Store(5)
		lookAt(c, &incarnation)
		conn := c.connect()
		defer conn.Close()
		k := consume(t, conn, new(gather).handle)
		look := c.hook
		var dropped atomic.Int64
		c.setHook(func(fc *fakeConn, f transport.Frame) bool {
			if f.Op == transport.OpConsume && dropped.Load() < 3 {
				dropped.Add(1) // lost on the way
				time.AfterFunc(second, func() { fc.t.Close() })
				return true
			}
			return look(fc, f)
		})
		incarnation.Store(9)
		c.expire()
		c.cut("")
		time.Sleep(20 * time.Second)
		select {
		case <-k.Done():
			t.Errorf("ended with %v", k.Err())
		default:
		}
		if n := dropped.Load(); n != 3 {
			t.Errorf("%d of 3 lost on the way", n)
		}
	})
}
