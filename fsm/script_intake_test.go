package fsm

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// records makes the messages of a publish, all with the attributes that the
// line sets. Several with an id have ids of their own, unless it ends in !.
func (l *scriptLine) records(count int) (out []byte) {
	for i := range count {
		m := l.message()
		text := l.text("body")
		if text == "" {
			n := int(l.num("size", 10))
			text = fmt.Sprintf("m%d ", i)
			text = (text + strings.Repeat("x", n))[:n]
		}
		m.Body = []byte(text)
		if id, fixed := strings.CutSuffix(m.DedupID, "!"); fixed {
			m.DedupID = id
		} else if id != "" && count > 1 {
			m.DedupID += strconv.Itoa(i)
		}
		b, err := record.Append(nil, &m)
		l.r.must(err)
		out = wire.AppendBytes(out, b)
	}
	return out
}

// intake parses the commands of topics and commits.
func (l *scriptLine) intake(h OpHeader) Command {
	switch l.words[0] {
	case "topic": // topic s1 t [window=millis ids=N]
		t := l.settings()
		return &TopicCreate{OpHeader: h, Topic: l.word(2), Settings: TopicSettings{DedupMillis: t.DedupMillis, DedupCapacity: t.DedupCapacity}}
	case "delete-topic": // delete-topic s1 t [if-unused]
		return &TopicDelete{OpHeader: h, Topic: l.word(2), IfUnused: l.flag("if-unused")}
	case "subscribe": // subscribe s1 t q filter [required] [session] [settings]
		return &Subscribe{OpHeader: h, Topic: l.word(2), Queue: l.word(3), Filter: l.word(4),
			Required: l.flag("required"), Session: l.flag("session"), Settings: l.settings()}
	case "commit": // commit s1 ack:incarnation-place-token ... publish:q publish:q*3 ...
		c := &Commit{OpHeader: h}
		for _, w := range l.rest(2) {
			verb, what, _ := strings.Cut(w, ":")
			if verb == "publish" {
				name, count, _ := strings.Cut(what, "*")
				n := 1
				if count != "" {
					n = int(l.parse(count))
				}
				c.Publishes = append(c.Publishes, CommitPublish{Queue: name, Count: uint32(n), Records: l.records(n)})
				continue
			}
			one := scriptLine{r: l.r, words: []string{verb, "", what}, set: l.set, known: l.known}
			c.Settles = append(c.Settles, one.items()...)
		}
		return c
	}
	return nil
}

func (r *script) lookTopic(name string) {
	t, ok := r.s.Topic(name)
	if !ok {
		fmt.Fprintln(&r.out, "no topic")
		return
	}
	fmt.Fprintf(&r.out, "%s: published=%d", t.Name, t.Published)
	r.some("duplicates", t.Duplicates)
	r.some("ids", t.DedupIDs)
	fmt.Fprintln(&r.out)
	all, _, _ := r.s.Subscriptions(name, 0, 100)
	for _, q := range all {
		fmt.Fprintf(&r.out, "  %s %s required=%v session=%v ready=%d", q.Name, q.Filter, q.Required, q.Session, q.Ready)
		r.some("missed", q.Missed)
		r.some("overflowed", q.Overflowed)
		fmt.Fprintln(&r.out)
	}
}
