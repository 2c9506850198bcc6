package cluster

import (
	"errors"
	"fmt"
)

// mistakes collects what is wrong with options.
type mistakes []error

// when notes a mistake if there is one.
func (m *mistakes) when(wrong bool, format string, args ...any) {
	if wrong {
		*m = append(*m, fmt.Errorf("cluster: "+format, args...))
	}
}

// err is all of them, nil for none.
func (m mistakes) err() error { return errors.Join(m...) }
