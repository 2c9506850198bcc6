package gossip

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestThreeNodesSeeEachOther(t *testing.T) {
	a, b, c := trio(t)
	require.Equal(t, "meta of b", string(find(a, "b").Meta))
	require.Equal(t, c.Addr(), find(b, "c").Addr)
	for _, g := range []*Gossip{a, b, c} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		require.NoError(t, g.Join(ctx))
		cancel()
	}
	joined := map[string]bool{}
	next(t, b, func(e Event) bool {
		joined[e.Member.ID] = e.Kind == Joined
		return len(joined) == 3
	})
	require.Equal(t, map[string]bool{"a": true, "b": true, "c": true}, joined)
}

func TestMetaIsUpdated(t *testing.T) {
	a, b, _ := trio(t)
	next(t, b, is(Joined, "a"))
	require.NoError(t, a.UpdateMeta([]byte("news")))
	e := next(t, b, is(Updated, "a"))
	require.Equal(t, "news", string(e.Member.Meta))
	require.ErrorIs(t, a.UpdateMeta(make([]byte, MetaBytesMax+1)), ErrMetaTooLong)
	require.NoError(t, a.UpdateMeta(make([]byte, MetaBytesMax)))
}

func TestNodeThatLeavesStaysListed(t *testing.T) {
	a, _, c := trio(t)
	next(t, a, is(Joined, "c"))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, c.Leave(ctx))
	require.NoError(t, c.Close())
	e := next(t, a, is(Left, "c"))
	require.False(t, e.Member.Alive)
	require.True(t, sees(a, map[string]bool{"a": true, "b": true, "c": false}))
	require.Equal(t, "meta of c", string(find(a, "c").Meta))
}

func TestNodeThatDiesStaysListedAndComesBack(t *testing.T) {
	a, b, c := trio(t)
	next(t, a, is(Joined, "c"))
	addr := c.Addr()
	require.NoError(t, c.Close())
	next(t, a, is(Left, "c"))
	eventually(t, "b finds out too", func() bool { return sees(b, map[string]bool{"a": true, "b": true, "c": false}) })

	// It comes back with nobody to join: the others look for it.
	o := options("c")
	o.BindAddr = addr
	back := run(t, o)
	next(t, a, is(Joined, "c"))
	eventually(t, "it sees the others", func() bool { return sees(back, map[string]bool{"a": true, "b": true, "c": true}) })
}

func TestMassRestartInAnotherOrder(t *testing.T) {
	a, b, c := trio(t)
	addrs := map[string]string{"a": a.Addr(), "b": b.Addr(), "c": c.Addr()}
	all := []string{a.Addr(), b.Addr(), c.Addr()}
	for _, g := range []*Gossip{a, b, c} {
		require.NoError(t, g.Close())
	}
	var nodes []*Gossip
	for _, id := range []string{"c", "a", "b"} {
		o := options(id, all...)
		o.BindAddr = addrs[id]
		nodes = append(nodes, run(t, o)) // the first ones find nobody, and go on looking
	}
	for _, g := range nodes {
		eventually(t, "all three again", func() bool { return sees(g, map[string]bool{"a": true, "b": true, "c": true}) })
	}
}

func TestNodeThatStartsFirstIsFoundLater(t *testing.T) {
	spare := run(t, options("spare"))
	addr := spare.Addr()
	require.NoError(t, spare.Close())

	b := run(t, options("b", addr))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, b.Join(ctx), context.DeadlineExceeded)

	o := options("a")
	o.BindAddr = addr
	a := run(t, o)
	require.NoError(t, b.Join(context.Background()))
	eventually(t, "both", func() bool { return sees(a, map[string]bool{"a": true, "b": true}) })
}

func TestWrongKeyIsRefused(t *testing.T) {
	keyed := func(id string, fill byte, join ...string) Options {
		o := options(id, join...)
		o.Key = bytes.Repeat([]byte{fill}, KeyBytes)
		return o
	}
	a := run(t, keyed("a", 1))
	b := run(t, keyed("b", 1, a.Addr()))
	wrong := run(t, keyed("wrong", 2, a.Addr()))
	none := run(t, options("none", a.Addr()))
	eventually(t, "the right key", func() bool { return sees(b, map[string]bool{"a": true, "b": true}) })
	for _, g := range []*Gossip{wrong, none} {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		require.ErrorIs(t, g.Join(ctx), context.DeadlineExceeded)
		cancel()
		require.Len(t, g.Members(), 1)
	}
	require.True(t, sees(a, map[string]bool{"a": true, "b": true}))
}

func TestTwoNodesWithOneIDAreLoud(t *testing.T) {
	var said logs
	o := options("a")
	o.Logger = slog.New(slog.NewTextHandler(&said, nil))
	a := run(t, o)
	b := run(t, options("b", a.Addr()))
	eventually(t, "both", func() bool { return sees(a, map[string]bool{"a": true, "b": true}) })
	twin := run(t, options("b", a.Addr()))
	e := next(t, a, is(Conflict, "b"))
	require.Equal(t, twin.Addr(), e.Member.Addr)
	eventually(t, "an error in the log", func() bool {
		return strings.Contains(said.String(), "level=ERROR msg=\"two nodes use the same id")
	})
	require.Equal(t, b.Addr(), find(a, "b").Addr, "the one that was there first stays")
	next(t, twin, is(Conflict, "b")) // it is told as well
}

func TestCloseEndsEverything(t *testing.T) {
	g := run(t, options("a", "127.0.0.1:1"))
	require.NoError(t, g.Close())
	require.NoError(t, g.Close())
	for range g.Events() { // drained until it is closed
	}
	require.ErrorIs(t, g.UpdateMeta(nil), ErrClosed)
	require.ErrorIs(t, g.Leave(context.Background()), ErrClosed)
	require.ErrorIs(t, g.Join(context.Background()), ErrClosed)
}
