//go:build !linux && !darwin && !freebsd

package serve

import "errors"

// canSeeDisk: --disk-low has no effect here.
const canSeeDisk = false

func space(string) (free, total uint64, err error) {
	return 0, 0, errors.ErrUnsupported
}
