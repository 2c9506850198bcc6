package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size. People write 64MiB, 1GiB, 512KiB or a plain number.
type Bytes uint64

var units = []struct {
	suffix string
	size   uint64
}{
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1},
}

// ParseBytes reads a size.
func ParseBytes(text string) (Bytes, error) {
	digits, factor := strings.TrimSpace(text), uint64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(digits, u.suffix); ok {
			digits, factor = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size: want a number of bytes, or one with KiB, MiB or GiB", text)
	}
	if n > math.MaxInt64/factor {
		return 0, fmt.Errorf("%q is too large", text)
	}
	return Bytes(n * factor), nil
}

// String writes the size in the largest unit that keeps it whole.
func (b Bytes) String() string {
	for _, u := range units {
		if n := uint64(b); n >= u.size && n%u.size == 0 && u.size > 1 {
			return strconv.FormatUint(n/u.size, 10) + u.suffix
		}
	}
	return strconv.FormatUint(uint64(b), 10)
}
