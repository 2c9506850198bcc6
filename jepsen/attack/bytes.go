package attack

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
	"time"
)

// anyCode takes any typed error, and a connection that is closed without one.
const anyCode = 0

// impatience is the heartbeat that attackers agree on: three of them without a
// byte close the connection.
const impatience = time.Second

type run = func(ctx context.Context, t Target) error

// opening sends bytes as the first of a connection.
func opening(b []byte, want uint16) run {
	return func(ctx context.Context, t Target) error {
		c, err := dial(ctx, t.Addr)
		if err != nil {
			return err
		}
		return finish(c, b, want)
	}
}

// insteadOfHello sends bytes after a right preface.
func insteadOfHello(b []byte, want uint16) run {
	return opening(append(preface(1, 0), b...), want)
}

// greeting sends a Hello that must be refused.
func greeting(h hello, want uint16) run {
	return insteadOfHello(frame(opHello, 0, h.payload(), -1), want)
}

// afterHello sends bytes on a connection that was greeted.
func afterHello(b []byte, want uint16) run {
	return func(ctx context.Context, t Target) error {
		c, err := greet(ctx, t.Addr, impatience)
		if err != nil {
			return err
		}
		return finish(c, b, want)
	}
}

// finish sends the bytes and judges how the server ends the connection.
func finish(c *raw, b []byte, want uint16) error {
	err := c.send(b)
	if err != nil && !hungUp(err) {
		return errors.Join(err, c.Close())
	}
	refused, err := c.ending()
	err = errors.Join(err, c.Close())
	switch {
	case err != nil:
		return err
	case want == anyCode:
		return nil
	case refused == nil:
		return fmt.Errorf("closed without an error, want code %d", want)
	case refused.Code != want:
		return fmt.Errorf("%w, want code %d", refused, want)
	}
	return nil
}

// hungUp tells that the server closed while bytes were still being sent.
func hungUp(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// garbage is the same noise in every run.
func garbage(n int) []byte {
	noise := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(noise.Uint64())
	}
	return b
}

func flipped(frame []byte) []byte {
	frame[headerSize-1] ^= 1
	return frame
}

func half(frame []byte) []byte { return frame[:headerSize+(len(frame)-headerSize)/2] }

// dripping sends a right preface and Hello so slowly that each byte alone would
// keep a deadline alive that starts anew with every byte.
func dripping(ctx context.Context, t Target) error {
	c, err := dial(ctx, t.Addr)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		_, err := c.ending()
		ended <- err
	}()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	bytes := append(preface(1, 0), frame(opHello, 0, hello{versionMin: 1, versionMax: 1}.payload(), -1)...)
	for i := 0; ; i++ {
		select {
		case err := <-ended:
			return errors.Join(err, c.Close())
		case <-tick.C:
		}
		if i >= len(bytes) {
			continue // all sent; the reader tells at the deadline that it is still open
		}
		if err := c.send(bytes[i : i+1]); err != nil && !hungUp(err) && !errors.Is(err, net.ErrClosed) {
			return errors.Join(err, c.Close(), <-ended)
		}
	}
}

// idle opens n connections that never say hello, sees a well-behaved client
// served beside them, and waits until the server has closed each.
func idle(n int) run {
	return func(ctx context.Context, t Target) (err error) {
		ended := make(chan error, n)
		opened := 0
		for range n {
			c, e := dial(ctx, t.Addr)
			if e != nil {
				err = e
				break
			}
			opened++
			go func() {
				refused, err := c.ending()
				if err != nil && refused != nil {
					err = errors.Join(err, refused)
				}
				ended <- errors.Join(err, c.Close())
			}()
		}
		err = errors.Join(err, Healthy(ctx, t))
		for range opened {
			err = errors.Join(err, <-ended)
		}
		return err
	}
}
