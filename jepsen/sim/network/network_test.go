package network

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// send writes n times one byte from a to b and tells when each arrived.
func send(t *testing.T, n *Network, count int) []time.Duration {
	t.Helper()
	l, err := n.Host("b").Listen(":1")
	require.NoError(t, err)
	defer l.Close()
	near, err := n.Host("a").Dial(t.Context(), "b:1")
	require.NoError(t, err)
	defer near.Close()
	far, err := l.Accept()
	require.NoError(t, err)
	defer far.Close()
	var took []time.Duration
	for i := range count {
		began := time.Now()
		_, err := near.Write([]byte{byte(i)})
		require.NoError(t, err)
		var b [1]byte
		_, err = far.Read(b[:])
		require.NoError(t, err)
		require.Equal(t, byte(i), b[0])
		took = append(took, time.Since(began))
	}
	return took
}

func TestCalmIsDelayAndJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1, Rule{Delay: 10 * time.Millisecond, Jitter: 5 * time.Millisecond})
		for _, d := range send(t, n, 200) {
			require.GreaterOrEqual(t, d, 10*time.Millisecond)
			require.Less(t, d, 15*time.Millisecond)
		}
		require.Zero(t, n.Counts().Bad())
	})
}

func TestLossCostsRetransmissionTimeOuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(2, Rule{})
		n.SetRule("a", "b", Rule{Loss: 0.3, Reorder: 0.2, Duplicate: 0.2, Delay: time.Millisecond})
		late, twice := 0, 0
		for _, d := range send(t, n, 400) {
			if d >= rtoFirst {
				late++
			}
			if d >= 3*rtoFirst {
				twice++
			}
		}
		c := n.Counts()
		require.InDelta(t, 120, late, 40)
		require.InDelta(t, 36, twice, 20)
		for _, count := range []int64{c.Lost, c.Reordered, c.Duplicated} {
			require.Greater(t, count, int64(50))
		}
		n.HealAll()
		for _, d := range send(t, n, 50) {
			require.Zero(t, d)
		}
	})
}

func TestCutBlocksAndThawsAtTheNextTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(3, Rule{})
		l, err := n.Host("b").Listen(":1")
		require.NoError(t, err)
		defer l.Close()
		near, err := n.Host("a").Dial(t.Context(), "b:1")
		require.NoError(t, err)
		defer near.Close()
		far, err := l.Accept()
		require.NoError(t, err)
		defer far.Close()
		n.CutOneWay("a", "b")
		began := time.Now()
		_, err = near.Write([]byte{1})
		require.NoError(t, err)
		go func() {
			time.Sleep(time.Second)
			n.Heal("a", "b")
		}()
		_, err = far.Read(make([]byte, 1))
		require.NoError(t, err)
		require.Greater(t, time.Since(began), time.Second)
		require.Less(t, time.Since(began), time.Second+4*rtoFirst)
		require.Equal(t, Counts{Writes: 3, Blocked: 1, Thawed: 1}, n.Counts())
	})
}
