package wire

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Also what was on its way already does not arrive behind a block.
func TestABlockHoldsForWhatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newLink(1)
		l := newLate((&Host{net: &Net{}}).arrive)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.run(ctx)
		}()
		require.True(t, l.add(k, 2, tcpFrame("1"), time.Now().Add(50*time.Millisecond)))
		k.rule.Store(&Rule{Block: true})
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, Counters{Blocked: 1}, k.count.read())
		cancel()
		<-done
	})
}
