package cli

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
)

// tap is a network that keeps what was written to it and loses links: each cut
// is the text behind which a link ends, whose answer, if not more, is lost.
type tap struct {
	mu    sync.Mutex
	links []*bytes.Buffer
	cuts  []string
}

type tappedConn struct {
	net.Conn
	tap  *tap
	seen *bytes.Buffer
}

func (p *tap) dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &tappedConn{conn, p, new(bytes.Buffer)}
	p.links = append(p.links, c.seen)
	return c, nil
}

func (c *tappedConn) Write(b []byte) (int, error) {
	c.tap.mu.Lock()
	defer c.tap.mu.Unlock()
	n, err := c.Conn.Write(b)
	c.seen.Write(b[:n])
	if cuts := c.tap.cuts; len(cuts) > 0 && bytes.Contains(c.seen.Bytes(), []byte(cuts[0])) {
		c.tap.cuts = cuts[1:]
		c.Close()
	}
	return n, err
}

// times that a text was written.
func (p *tap) times(text string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.links {
		n += bytes.Count(b.Bytes(), []byte(text))
	}
	return n
}

// cutsLeft tells how many links are still to be lost.
func (p *tap) cutsLeft() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.cuts)
}

// testUnconfirmed: over links that are cut under them, messages are written at
// most once, where confirmed ones are written again, and stored at most once.
func testUnconfirmed(t *testing.T, d *devServer) {
	const messages, every = 400, 50
	d.run(t, ExitOK, "", "queue", "create", "pings")
	p := &tap{}
	for i := every / 2; i < messages; i += every {
		p.cuts = append(p.cuts, fmt.Sprintf("<once %03d>", i))
	}
	conn, err := client.Dial(t.Context(), d.url, client.WithDialer(p.dial))
	require.NoError(t, err)
	defer conn.Close()
	again := 0
	for i := range messages {
		require.NoError(t, conn.PublishAsync(t.Context(), "pings", client.Message{Body: fmt.Appendf(nil, "<sure %03d>", i)},
			func(_ client.Receipt, err error) { require.NoError(t, err) }))
		require.NoError(t, conn.PublishUnconfirmed(t.Context(), "pings", client.Message{Body: fmt.Appendf(nil, "<once %03d>", i)}))
		if i%every == every-1 { // what was piled up shares a frame, and its fate
			require.NoError(t, conn.Flush(t.Context()))
		}
	}
	require.Zero(t, p.cutsLeft())
	_, err = conn.Publish(t.Context(), "pings", client.Message{Body: []byte("<last>")}) // behind all of them
	require.NoError(t, err)
	stored := map[string]int{}
	for m, err := range conn.BrowseMessages(t.Context(), "pings", client.Filter{}) {
		require.NoError(t, err)
		stored[string(m.Message.Body)]++
	}
	once := 0
	for i := range messages {
		name := fmt.Sprintf("<once %03d>", i)
		require.LessOrEqual(t, p.times(name), 1, name)
		require.LessOrEqual(t, stored[name], p.times(name), name)
		once += stored[name]
		sure := fmt.Sprintf("<sure %03d>", i)
		require.Equal(t, 1, stored[sure], sure)
		again += p.times(sure) - 1
	}
	require.Positive(t, again, "no confirmed one was sent again: nothing is shown")
	t.Logf("%d of %d unconfirmed messages were stored; %d times a confirmed one was sent again", once, messages, again)

	d.run(t, ExitOK, "", "queue", "purge", "pings")
	require.Equal(t, "sent 1 messages, unconfirmed\n", d.run(t, ExitOK, "", "publish", "pings", "one", "--no-confirm").out)
	require.JSONEq(t, `{"queue":"pings","sent":2}`, d.run(t, ExitOK, "two\nthree\n", "publish", "pings", "--lines", "--no-confirm", "-o", "json").out)
	require.Equal(t, "sent 1 messages, unconfirmed\n", d.run(t, ExitOK, "", "publish", "nothing", "x", "--no-confirm").out, "nobody is told")
	want := []string{"one", "two", "three"}
	require.Eventually(t, func() bool { // it is stored in a moment
		out := d.run(t, ExitOK, "", "message", "browse", "pings", "--body").out
		for _, body := range want {
			if !strings.Contains(out, body) {
				return false
			}
		}
		return true
	}, 20*time.Second, 10*time.Millisecond)
}
