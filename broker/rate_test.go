package broker

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/transport"
)

// TestPublishRate: a connection that publishes too fast is told when to come
// again, and nobody else is.
func TestPublishRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLeading(t, "a")
		b := startBroker(t, "a", g, nil, func(o *Options) { o.PublishRate, o.PublishBurst = 10, 4 })
		fast, slow := attached(t, b, 1), attached(t, b, 2)
		fast.create("q")
		fast.consume("q", 1)
		fast.wantCode(fast.publish("q", "1", "2", "3"), transport.CodeOK)
		r := fast.wantCode(fast.publish("q", "4", "5"), transport.CodeBusy)
		if r.Cause != transport.CauseRate || r.RetryAfterMs != 100 {
			t.Fatalf("%+v", r)
		}
		fast.wantCode(fast.publish("q", "4"), transport.CodeOK)
		slow.wantCode(slow.publish("q", "5", "6"), transport.CodeOK)
		for range 6 { // settles are never counted
			fast.wantCode(fast.settle(transport.ActionAck, fast.delivery()), transport.CodeOK)
		}
		r = fast.wantCode(fast.publish("q", "7"), transport.CodeBusy)
		time.Sleep(time.Duration(r.RetryAfterMs) * time.Millisecond)
		fast.wantCode(fast.publish("q", "7"), transport.CodeOK)

		// Without room for all of it at any time, an operation passes when the
		// bucket is full, and those behind it pay.
		time.Sleep(time.Second)
		fast.wantCode(fast.publish("q", "1", "2", "3", "4", "5", "6", "7", "8", "9"), transport.CodeOK)
		if r = fast.wantCode(fast.publish("q", "10"), transport.CodeBusy); r.RetryAfterMs != 600 {
			t.Fatalf("%+v", r)
		}
		fast.close()
		slow.close()
	})
}
