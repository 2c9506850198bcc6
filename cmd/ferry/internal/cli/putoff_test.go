package cli

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
)

// TestPutOff: what was put off is published again in batches that one entry takes,
// for as long as any get in. Of the rest it is told why it was refused.
func TestPutOff(t *testing.T) {
	full := fmt.Errorf("publish: %w", client.ErrEntryFull)
	late := errors.New("too late")
	for _, c := range []struct {
		name    string
		batches int // that get in
		stop    bool
		want    string
	}{
		{"all get in", 10, false, "confirmed 35, late 0, put off 0, in [10 10 10 5]"},
		{"none of the second gets in", 1, false, "confirmed 10, late 10, put off 15, in [10 10]"},
		{"it is interrupted in the first", 10, true, "confirmed 10, late 0, put off 25, in [10]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var p putOff
			require.False(t, p.add(client.Message{}, late))
			for i := range 35 {
				require.True(t, p.add(client.Message{Body: []byte{byte(i)}}, full))
			}
			var sizes []int
			batch := func(ctx context.Context, ms []client.Message) ([]client.PublishResult, error) {
				if c.stop {
					cancel()
				}
				require.NoError(t, ctx.Err(), "its outcome would be unknown")
				sizes = append(sizes, len(ms))
				results := make([]client.PublishResult, len(ms))
				for i := range results {
					if len(sizes) > c.batches {
						results[i].Err = late
					}
				}
				return results, nil
			}
			next, confirmed, lates, refused := byte(0), 0, 0, 0
			told := func(m client.Message, _ client.Receipt, err error) {
				require.Equal(t, []byte{next}, m.Body)
				next++
				switch {
				case err == nil:
					confirmed++
				case errors.Is(err, client.ErrEntryFull):
					refused++
				default:
					lates++
				}
			}
			require.NoError(t, p.publish(ctx, 36, batch, told))
			require.Empty(t, sizes)
			require.NoError(t, p.publish(ctx, 1, batch, told))
			require.Equal(t, c.want, fmt.Sprintf("confirmed %d, late %d, put off %d, in %v", confirmed, lates, refused, sizes))
		})
	}
}
