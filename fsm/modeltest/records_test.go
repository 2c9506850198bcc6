package modeltest

import (
	"encoding/binary"

	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

var (
	tooLarge  = Draft{Record: record(1, nil, make([]byte, fsm.MaxMessageBytes+1)), Size: fsm.MaxMessageBytes + 1, Fault: fsm.TooLarge}
	large     = Draft{Record: record(1, nil, make([]byte, 600<<10)), Size: 600 << 10}
	unknown   = Draft{Record: record(1, []byte{99, 1, 7}, []byte("u")), Size: 1, Fault: fsm.Invalid}
	newer     = Draft{Record: record(2, nil, []byte("n")), Size: 1, Fault: fsm.Invalid}
	truncated = Draft{Record: record(1, nil, []byte("body"))[:18], Size: 4, Fault: fsm.Invalid}
	empty     = Draft{Record: record(1, nil, nil)}
)

// drafts makes the messages of a publish.
func (g *generator) drafts(t *rapid.T) []Draft {
	g.unique++
	switch chance := bits(t, "messages", 10); {
	case chance < 2:
		return []Draft{tooLarge}
	case chance < 4:
		return []Draft{large, large}
	case chance < 6:
		all := make([]Draft, fsm.MaxItems+1)
		for i := range all {
			all[i] = empty
		}
		return all
	case chance < 16:
		return nil
	}
	if percent(t, "one group") < 20 {
		g.group = choose(t, "group", groups...)
		defer func() { g.group = "" }()
	}
	all := make([]Draft, pick(t, 1, 5, "count"))
	for i := range all {
		all[i] = g.draft(t, uint64(i))
	}
	return all
}

func (g *generator) draft(t *rapid.T, i uint64) Draft {
	switch chance := percent(t, "message"); {
	case chance < 2:
		return unknown
	case chance < 3:
		return newer
	case chance < 4:
		return truncated
	}
	content := binary.BigEndian.AppendUint64(nil, g.unique<<8|i)
	d := Draft{Content: append(content, make([]byte, pick(t, 0, 40, "body"))...)}
	g.attribute(t, &d)
	replyTo := ""
	if percent(t, "reply to") < 5 {
		replyTo = "q0"
	}
	return d.sealed(replyTo)
}
