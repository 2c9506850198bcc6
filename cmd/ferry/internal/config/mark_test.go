package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMark(t *testing.T) {
	const total = 100 << 30
	for text, want := range map[string]uint64{
		"0": 0, "5%": 5 << 30, "1GiB": 1 << 30, "5%,1GiB": 1 << 30, " 6GiB , 5% ": 5 << 30,
	} {
		m, err := ParseMark(text)
		require.NoError(t, err, text)
		require.Equal(t, want, m.Of(total), text)
		again, err := ParseMark(m.String())
		require.NoError(t, err, text)
		require.Equal(t, m, again)
	}
	for _, text := range []string{"", "%", "0%", "51%", "5%,6%", "1GiB,2GiB", "5%,", "0,5%", "1GB"} {
		_, err := ParseMark(text)
		require.Error(t, err, text)
	}
}
