package fsm

import (
	"fmt"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// What scripts say of the order in which messages are handed out.

var groupFailures = map[string]GroupFailure{"block": GroupBlock, "park": GroupPark, "dead": GroupDead, "skip": GroupSkip, "9": 9}

func (l *scriptLine) orderSettings(t *Settings) {
	if t.StarvationGuard = -1; l.text("guard") != "off" {
		t.StarvationGuard = int32(l.num("guard", 0))
	}
	t.GroupFailure, t.GroupBatch = pick(l, "group-failure", groupFailures), uint32(l.num("batch", 0))
	t.Fair, t.Exclusive, t.Breaker = l.flag("fair"), l.flag("exclusive"), l.flag("breaker")
	t.DispatchRate, t.DispatchBurst = uint32(l.num("rate", 0)), uint32(l.num("burst", 0))
}

// message has the attributes that a publish names.
func (l *scriptLine) message() record.Message {
	m := record.Message{Subject: l.text("subject"), DedupID: l.text("id"), GroupKey: l.text("group"), Tenant: l.text("tenant")}
	if l.text("priority") != "" {
		p := uint8(l.num("priority", 0))
		m.Priority = &p
	}
	l.times(&m)
	return m
}

// order shows the line of a message, if it is not the plain one.
func (r *script) order(m *MessageInfo) {
	if m.Priority != DefaultPriority {
		fmt.Fprintf(&r.out, " priority=%d", m.Priority)
	}
	if m.Group != "" {
		fmt.Fprintf(&r.out, " group=%s", m.Group)
	}
	if m.Tenant != "" {
		fmt.Fprintf(&r.out, " tenant=%s", m.Tenant)
	}
	if m.Alone {
		fmt.Fprint(&r.out, " alone")
	}
}
