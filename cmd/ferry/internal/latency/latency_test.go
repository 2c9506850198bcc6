package latency

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSet(t *testing.T) {
	a, b := New(), New()
	for i := range 99 {
		a.Add(time.Duration(i+1) * time.Millisecond)
	}
	b.Add(time.Second)
	b.Add(-time.Second) // a clock that went back
	b.Add(time.Hour)
	a.Merge(b)
	require.EqualValues(t, 102, a.Len())
	require.InDelta(t, 50, a.Millis(50), 1.1)
	require.InDelta(t, Max.Seconds()*1000, a.MaxMillis(), Max.Seconds()*2)
}
