package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Mark is a bound of free space: the smallest of what it names, which is a
// size, a share of the whole, or both. People write 5%,1GiB; 0 is no mark.
type Mark struct {
	Bytes   Bytes // 0: none named
	Percent int   // of the whole, 1 to 50; 0: none named
}

const markPercentMax = 50

// ParseMark reads a mark.
func ParseMark(text string) (Mark, error) {
	var m Mark
	if strings.TrimSpace(text) == "0" {
		return m, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		var twice bool
		if digits, share := strings.CutSuffix(part, "%"); share {
			n, err := strconv.Atoi(strings.TrimSpace(digits))
			if err != nil || n < 1 || n > markPercentMax {
				return Mark{}, fmt.Errorf("%q is no share between 1%% and %d%%", part, markPercentMax)
			}
			twice, m.Percent = m.Percent != 0, n
		} else {
			n, err := ParseBytes(part)
			if err != nil {
				return Mark{}, err
			}
			if n == 0 {
				return Mark{}, fmt.Errorf("%q: 0 stands alone", text)
			}
			twice, m.Bytes = m.Bytes != 0, n
		}
		if twice {
			return Mark{}, fmt.Errorf("%q names the same twice", text)
		}
	}
	return m, nil
}

// String writes the mark as ParseMark takes it.
func (m Mark) String() string {
	var parts []string
	if m.Percent != 0 {
		parts = append(parts, strconv.Itoa(m.Percent)+"%")
	}
	if m.Bytes != 0 {
		parts = append(parts, m.Bytes.String())
	}
	if len(parts) == 0 {
		return "0"
	}
	return strings.Join(parts, ",")
}

// Of is the mark in bytes, of so many in all.
func (m Mark) Of(total uint64) uint64 {
	share := total / 100 * uint64(m.Percent)
	switch {
	case m.Bytes == 0:
		return share
	case m.Percent == 0:
		return uint64(m.Bytes)
	}
	return min(share, uint64(m.Bytes))
}
