package serve

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
)

func TestDiskSpace(t *testing.T) {
	require.Nil(t, diskSpace(&config.Config{Data: t.TempDir()}), "no mark")
	if !canSeeDisk {
		return
	}
	c := &config.Config{Data: t.TempDir(), DiskLow: config.Mark{Percent: 5, Bytes: 1 << 20}}
	free, low, err := diskSpace(c)()
	require.NoError(t, err)
	require.EqualValues(t, 1<<20, low)
	require.Positive(t, free)
	c.Data += "/nowhere"
	_, _, err = diskSpace(c)()
	require.Error(t, err)
}
