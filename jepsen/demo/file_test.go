package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFileIsNumberedAndKnownAgain(t *testing.T) {
	f, err := makeFile(t.Context(), t.TempDir(), 1000)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(f.lines), 1000)
	for want, line := range f.lines {
		got, err := f.lineOf(line)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestLineOfFindsWhatIsNoLine(t *testing.T) {
	f := &file{lines: [][]byte{[]byte("0\ta"), []byte("1\tb")}}
	for _, body := range []string{"", "x\ta", "2\tc", "-1\ta", "0\tb", "1\ta", "0"} {
		_, err := f.lineOf([]byte(body))
		require.Error(t, err, body)
	}
}
