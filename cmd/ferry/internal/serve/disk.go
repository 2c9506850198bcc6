package serve

import "github.com/ferrymq/ferrymq/cmd/ferry/internal/config"

// diskSpace is what the broker watches: how much of the data folder's file
// system is free, and below what publishes are refused. Nil: there is no mark.
func diskSpace(c *config.Config) func() (free, low uint64, err error) {
	if c.DiskLow == (config.Mark{}) || !canSeeDisk {
		return nil
	}
	return func() (free, low uint64, err error) {
		free, total, err := space(c.Data)
		return free, c.DiskLow.Of(total), err
	}
}
