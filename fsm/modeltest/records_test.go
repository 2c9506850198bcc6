package modeltest

import (
	"encoding/binary"

	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

// The bytes of a record, written once more from its layout, so that records
// can be made that package record refuses to make.
func record(version byte, attributes, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(attributes)+len(body)))
	b = append(b, version, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(attributes)))
	b = append(b, 0, 0, 0, 0) // the checksum, which the machine leaves to the consumer
	b = binary.BigEndian.AppendUint32(b, 0)
	b = append(b, attributes...)
	return append(b, body...)
}

var (
	tooLarge  = Draft{Record: record(1, nil, make([]byte, fsm.MaxMessageBytes+1)), Size: fsm.MaxMessageBytes + 1, Fault: fsm.TooLarge}
	large     = Draft{Record: record(1, nil, make([]byte, 600<<10)), Size: 600 << 10}
	priority  = Draft{Record: record(1, []byte{5, 1, 7}, []byte("p")), Size: 1, Fault: fsm.Unsupported}
	newer     = Draft{Record: record(2, nil, []byte("n")), Size: 1, Fault: fsm.Invalid}
	truncated = Draft{Record: record(1, nil, []byte("body"))[:18], Size: 4, Fault: fsm.Invalid}
	empty     = Draft{Record: record(1, nil, nil)}
)

// drafts makes the messages of a publish.
func drafts(t *rapid.T, unique uint64) []Draft {
	switch chance := percent(t, "messages"); {
	case chance < 1:
		return []Draft{tooLarge}
	case chance < 2:
		return []Draft{large, large}
	case chance < 3:
		all := make([]Draft, fsm.MaxItems+1)
		for i := range all {
			all[i] = empty
		}
		return all
	case chance < 4:
		return nil
	}
	all := make([]Draft, pick(t, 1, 5, "count"))
	for i := range all {
		all[i] = draft(t, unique<<8|uint64(i))
	}
	return all
}

func draft(t *rapid.T, unique uint64) Draft {
	switch chance := percent(t, "message"); {
	case chance < 2:
		return priority
	case chance < 4:
		return newer
	case chance < 6:
		return truncated
	}
	body := binary.BigEndian.AppendUint64(nil, unique)
	body = append(body, make([]byte, pick(t, 0, 40, "body"))...)
	return Draft{Record: record(1, nil, body), Size: uint64(len(body))}
}
