package fsm

import "strings"

// amend is what a person does to messages.
func (l *scriptLine) amend(h OpHeader) *Amend {
	actions := map[string]AmendAction{"remove": AmendDelete, "move": AmendMove, "requeue": AmendRequeue, "schedule": AmendSchedule}
	a := &Amend{OpHeader: h, Queue: l.word(2), Action: actions[l.words[0]], To: l.text("to"),
		AtMillis: int64(l.num("at", 0)), Reset: l.flag("reset")}
	for i, w := range l.words[3:] {
		p := strings.Split(w, "-")
		if len(p) != 3 {
			continue
		}
		l.word(3 + i)
		a.Items = append(a.Items, AmendItem{Place: l.parse(p[0]), Index: l.parse(p[1]), Position: uint32(l.parse(p[2]))})
	}
	return a
}
