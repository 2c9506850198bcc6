package history

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeyRoundTrip(t *testing.T) {
	k := Key{Producer: 3, Seq: 1 << 40}
	for _, size := range []int{0, 5, 200} {
		body := k.Body(size)
		require.GreaterOrEqual(t, len(body), size)
		got, err := ParseKey(body)
		require.NoError(t, err)
		require.Equal(t, k, got)
	}
	for _, bad := range []string{"", "p", "p1", "1-2", "p1-x", "px-1", "p-1-1"} {
		_, err := ParseKey([]byte(bad))
		require.Error(t, err, bad)
	}
}
