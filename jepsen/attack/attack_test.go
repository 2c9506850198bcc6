package attack

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The table itself is run against real processes, in package jepsen.
func TestTableIsComplete(t *testing.T) {
	names := map[string]bool{}
	for _, a := range Table() {
		require.NotEmpty(t, a.Name)
		require.False(t, names[a.Name], "%q is there twice", a.Name)
		require.NotNil(t, a.Run, a.Name)
		require.Positive(t, a.Deadline, a.Name)
		names[a.Name] = true
	}
	require.GreaterOrEqual(t, len(names), 20)
}

// A server that takes everything and never closes must fail every raw attack:
// an attack that cannot fail shows nothing.
func TestSilentServerFails(t *testing.T) {
	address := serve(t, func(c *raw) error { <-t.Context().Done(); return nil })
	for _, a := range []run{
		opening(garbage(64), anyCode), opening(preface(9, 0), codeVersion),
		insteadOfHello(frame(opHello, 0, nil, -1), anyCode), idleOnly(3),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		require.ErrorContains(t, a(ctx, Target{Addr: address}), "still open")
		cancel()
	}
}

func TestWrongCodeFails(t *testing.T) {
	address := serve(t, func(c *raw) error {
		return c.send(frame(opError, 0, []byte{0x92, codeTooLarge, 0xa2, 'n', 'o'}, -1))
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, opening(preface(1, 0), codeTooLarge)(ctx, Target{Addr: address}))
	require.NoError(t, opening(preface(1, 0), anyCode)(ctx, Target{Addr: address}))
	var refused *ErrRefused
	err := opening(preface(1, 0), codeVersion)(ctx, Target{Addr: address})
	require.ErrorAs(t, err, &refused)
	require.EqualValues(t, codeTooLarge, refused.Code)
}

func TestClosedWithoutTypedErrorFails(t *testing.T) {
	address := serve(t, func(*raw) error { return nil })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.ErrorContains(t, opening(preface(1, 0), codeVersion)(ctx, Target{Addr: address}), "without an error")
}

func TestParseError(t *testing.T) {
	for _, b := range [][]byte{nil, {0x90}, {0x92, 0xa0, 0xa0}, {0x92, 1, 1}, {0xc1}} {
		_, err := parseError(b)
		require.Error(t, err)
	}
	e, err := parseError([]byte{0x92, 0xcd, 1, 4, 0xa1, 'x'})
	require.NoError(t, err)
	require.Equal(t, &ErrRefused{Code: codeVersion, Message: "x"}, e)
	require.True(t, errors.Is(e, e))
}
