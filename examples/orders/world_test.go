package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The world does once what it is asked for twice.
func TestWorldKnowsKeys(t *testing.T) {
	w, err := openWorld()
	require.NoError(t, err)
	o, ctx := outside(w.url), t.Context()
	order := Order{ID: 1, Card: "card-01", Cents: 100}
	require.NoError(t, o.charge(ctx, "0-1-0", order))
	require.NoError(t, o.charge(ctx, "0-1-0", order))
	order.Cents++
	require.NoError(t, o.charge(ctx, "0-1-0", order))
	require.NoError(t, o.refund(ctx, "0-2-0", order))
	require.ErrorIs(t, o.charge(ctx, "0-3-0", Order{ID: 2, Card: stolen + "card"}), errDeclined)
	w.breakMail(true)
	require.ErrorIs(t, o.mail(ctx, "0-4-0", "order.created", order), errDown)
	w.breakMail(false)
	require.NoError(t, o.mail(ctx, "0-4-0", "order.created", order))
	require.NoError(t, o.push(ctx, "0-4-0", "order.created", order))
	require.ErrorContains(t, o.push(ctx, "", "order.created", order), "400")

	e := w.effects()
	require.Len(t, e.charges, 1)
	require.Equal(t, int64(100), e.charges["0-1-0"].Order.Cents)
	require.Equal(t, 1, e.repeats["charge"])
	require.Equal(t, []string{"charge 0-1-0"}, e.changed)
	require.Equal(t, []int{1, 1, 1, 1}, []int{len(e.refunds), len(e.mails), len(e.pushes), e.refusals})
	require.Equal(t, 1, e.again())
	require.NoError(t, w.close())
}
