package transport_test

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/ferrymq/ferrymq/transport"
)

var peer = Preface{Kind: KindPeer, ClusterID: [16]byte{1}}

// prove runs both halves; a side that fails closes its end.
func prove(t *testing.T, dial, accept func(net.Conn) error) (dialer, acceptor error) {
	t.Helper()
	near, far, _ := pair(t)
	done := make(chan error, 1)
	go func() {
		err := accept(far)
		if err != nil {
			far.Close()
		}
		done <- err
	}()
	if dialer = dial(near); dialer != nil {
		near.Close()
	}
	return dialer, <-done
}

func half(f func(net.Conn, []byte, Preface, time.Duration) error, key string, p Preface) func(net.Conn) error {
	return func(c net.Conn) error { return f(c, []byte(key), p, time.Second) }
}

func TestProof(t *testing.T) {
	other := peer
	other.ClusterID[0] = 2
	for name, test := range map[string]struct {
		dial, accept func(net.Conn) error
		ok           bool
	}{
		"same key":        {half(Prove, "secret", peer), half(Verify, "secret", peer), true},
		"other key":       {half(Prove, "guess", peer), half(Verify, "secret", peer), false},
		"other cluster":   {half(Prove, "secret", other), half(Verify, "secret", peer), false},
		"both dial":       {half(Prove, "secret", peer), half(Prove, "secret", peer), false},
		"both accept":     {half(Verify, "secret", peer), half(Verify, "secret", peer), false},
		"acceptor silent": {half(Prove, "secret", peer), func(c net.Conn) error { _, err := io.Copy(io.Discard, c); return err }, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			dialer, acceptor := prove(t, test.dial, test.accept)
			if test.ok && (dialer != nil || acceptor != nil) {
				t.Errorf("%s: %v, %v", name, dialer, acceptor)
			}
			if !test.ok && dialer == nil {
				t.Errorf("%s: the dialer believes it", name)
			}
		})
	}
}

// TestProofIsNotReflected has a dialer without the key answer with the
// acceptor's own words.
func TestProofIsNotReflected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		thief := func(c net.Conn) error {
			b := make([]byte, 4+32+32)
			if _, err := c.Write(append([]byte("PRV1"), make([]byte, 32)...)); err != nil {
				return err
			}
			if _, err := io.ReadFull(c, b); err != nil {
				return err
			}
			_, err := c.Write(append([]byte("PRV1"), b[36:]...))
			return err
		}
		if _, acceptor := prove(t, thief, half(Verify, "secret", peer)); !errors.Is(acceptor, ErrProof) {
			t.Fatalf("accepted its own proof: %v", acceptor)
		}
		keyless := func(c net.Conn) error {
			_, err := c.Write(AppendFrame(nil, Frame{Op: OpPeerHello, Payload: make([]byte, 100)}))
			return err
		}
		if _, acceptor := prove(t, keyless, half(Verify, "secret", peer)); !errors.Is(acceptor, ErrProof) {
			t.Fatalf("accepted a link without a proof: %v", acceptor)
		}
	})
}
