package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPlanIsTheSeeds(t *testing.T) {
	a, b := draw(1, 500, time.Minute), draw(1, 500, time.Minute)
	require.Equal(t, a, b)
	require.NotEqual(t, a, draw(2, 500, time.Minute))
}

func TestPlanHasAllKindsOfOrders(t *testing.T) {
	p := draw(1, 1200, time.Minute)
	seen, spike, cut, empty, unicorns, declined := map[int]bool{}, 0, 0, 0, 0, 0
	for customer, list := range p.orders {
		last := planned{}
		for _, one := range list {
			require.Equal(t, customer, one.order.Customer)
			require.Greater(t, one.order.ID, last.order.ID)
			require.GreaterOrEqual(t, one.at, last.at)
			require.False(t, seen[one.order.ID])
			seen[one.order.ID], last = true, one
			switch {
			case one.body[len(one.body)-1] != '}':
				cut++
			case one.order.Quantity == 0:
				empty++
			case one.order.Item == "unicorn":
				unicorns++
			case strings.HasPrefix(one.order.Card, stolen):
				declined++
			}
			if one.at == spikeAt(time.Minute) {
				spike++
			}
		}
	}
	require.Len(t, seen, 1200)
	require.GreaterOrEqual(t, spike, 1200*spikePercent/100)
	for _, n := range []int{cut, empty, unicorns, declined} {
		require.Positive(t, n)
	}
}
