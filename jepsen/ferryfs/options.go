//go:build linux

package ferryfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	defaultUnsyncedBytesMax = 64 << 20
	defaultUnsyncedNamesMax = 64 << 10
)

// Options of a mount. The zero value of each field but the first two means its
// default.
type Options struct {
	// Backing is the folder whose contents are served. It must exist.
	Backing string

	// Mountpoint is the folder under which they appear. It must exist.
	Mountpoint string

	// Held is a folder for removed files whose removal is not durable yet, on
	// the same file system as Backing (default: Backing with ".held" added).
	// It is emptied by Mount and removed by Close.
	Held string

	// UnsyncedBytesMax bounds the memory of old contents (default 64 MiB). A
	// file that would exceed it counts as fsynced; see Counters.Forced.
	UnsyncedBytesMax int64

	// UnsyncedNamesMax bounds the changes of names in the same way (default
	// 65,536): the folder counts as fsynced.
	UnsyncedNamesMax int
}

func (o Options) withDefaults() Options {
	o.Backing, o.Mountpoint = absolute(o.Backing), absolute(o.Mountpoint)
	if o.Held == "" {
		o.Held = o.Backing + ".held"
	}
	o.Held = absolute(o.Held)
	if o.UnsyncedBytesMax == 0 {
		o.UnsyncedBytesMax = defaultUnsyncedBytesMax
	}
	if o.UnsyncedNamesMax == 0 {
		o.UnsyncedNamesMax = defaultUnsyncedNamesMax
	}
	return o
}

// Validate returns every mistake in the options, after defaults.
func (o Options) Validate() error {
	var errs []error
	for _, dir := range []string{o.Backing, o.Mountpoint} {
		if info, err := os.Stat(dir); err != nil {
			errs = append(errs, err)
		} else if !info.IsDir() {
			errs = append(errs, fmt.Errorf("%s is no folder", dir))
		}
	}
	for _, pair := range [][2]string{
		{o.Backing, o.Mountpoint}, {o.Mountpoint, o.Backing},
		{o.Backing, o.Held}, {o.Held, o.Backing},
		{o.Mountpoint, o.Held}, {o.Held, o.Mountpoint},
	} {
		if within(pair[0], pair[1]) {
			errs = append(errs, fmt.Errorf("%s lies in %s", pair[1], pair[0]))
		}
	}
	if o.UnsyncedBytesMax < 0 || o.UnsyncedNamesMax < 0 {
		errs = append(errs, errors.New("a bound of the undo memory is negative"))
	}
	return errors.Join(errs...)
}

func absolute(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return abs
}

func within(outer, inner string) bool {
	return inner == outer || strings.HasPrefix(inner, strings.TrimSuffix(outer, "/")+"/")
}
