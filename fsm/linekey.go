package fsm

import "github.com/ferrymq/ferrymq/fsm/record"

// lineKey says which messages share a line. A group's has only its name.
type lineKey struct {
	group    string
	tenant   string
	priority uint8
}

func (l *line) key() lineKey {
	if l.group != "" {
		return lineKey{group: l.group}
	}
	return lineKey{tenant: l.tenant, priority: l.priority}
}

// lineKeyOf is the key of a message's line, false for the plain one.
func (q *queue) lineKeyOf(info *record.Info) (lineKey, bool) {
	const ordered = record.Set(1<<record.TagGroupKey | 1<<record.TagPriority | 1<<record.TagTenant)
	if info.Present&ordered == 0 || q.deadLetter == 0 {
		return lineKey{}, false
	}
	if info.Present.Has(record.TagGroupKey) {
		return lineKey{group: string(info.Group)}, true
	}
	tenant, priority := q.tenantOf(info), priorityOf(info)
	return lineKey{tenant: tenant, priority: priority}, tenant != "" || priority != DefaultPriority
}

func (q *queue) tenantOf(info *record.Info) string {
	if q.settings.Fair && info.Present.Has(record.TagTenant) {
		return string(info.Tenant)
	}
	return ""
}

func priorityOf(info *record.Info) uint8 {
	if info.Present.Has(record.TagPriority) {
		return info.Priority
	}
	return DefaultPriority
}

// lineOf returns the number of a message's line, if that is there.
func (q *queue) lineOf(info *record.Info) (uint32, bool) {
	key, other := q.lineKeyOf(info)
	if !other {
		return 0, true
	}
	if q.lines == nil {
		return 0, false
	}
	n, ok := q.lines.named[key]
	return n, ok
}
