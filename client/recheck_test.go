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
