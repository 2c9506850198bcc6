package disk

import (
	"encoding/binary"
	"slices"

	"github.com/ferrymq/ferrymq/cluster/store"
)

// stable stands in for raft-boltdb: every Set is atomic and durable.
type stable struct{ s *Session }

func (f stable) Set(key, val []byte) error {
	k, v := string(key), slices.Clone(val)
	return f.s.write("set", &write{apply: func(m *image) { m.stable[k] = v }})
}

func (f stable) Get(key []byte) (val []byte, err error) {
	err = store.ErrNotFound
	f.s.look(func(m *image) {
		if v, some := m.stable[string(key)]; some {
			val, err = slices.Clone(v), nil
		}
	})
	return val, err
}

func (f stable) SetUint64(key []byte, val uint64) error {
	return f.Set(key, binary.BigEndian.AppendUint64(nil, val))
}

func (f stable) GetUint64(key []byte) (uint64, error) {
	v, err := f.Get(key)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(v), nil
}

func (f stable) Close() error { return nil }
