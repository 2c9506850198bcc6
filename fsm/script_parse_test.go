package fsm

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// scriptLine is a command of a script: words, and settings as key=value.
type scriptLine struct {
	r     *script
	words []string
	set   map[string]string

	known map[string]bool // words and keys that the command has a meaning for
}

func (l *scriptLine) word(i int) string {
	if i >= len(l.words) {
		l.r.t.Fatalf("too few words: %q", l.words)
	}
	l.known[l.words[i]] = true
	return l.words[i]
}

// rest are the words from one on.
func (l *scriptLine) rest(from int) []string {
	for i := from; i < len(l.words); i++ {
		l.word(i)
	}
	return l.words[from:]
}

// get is the value of a key, if it is set.
func (l *scriptLine) get(key string) (v string, ok bool) {
	l.known[key] = true
	v, ok = l.set[key]
	return v, ok
}

func (l *scriptLine) text(key string) string {
	v, _ := l.get(key)
	return v
}

// pick is what the value of a key stands for.
func pick[T any](l *scriptLine, key string, all map[string]T) T {
	v, set := l.get(key)
	x, ok := all[v]
	if set && !ok {
		l.r.t.Fatalf("%s: what is %s=%s?", l.words[0], key, v)
	}
	return x
}

// check fails for what a command has no meaning for: a mistyped setting would
// show nothing.
func (l *scriptLine) check() {
	for _, w := range append(slices.Clone(l.words), slices.Sorted(maps.Keys(l.set))...) {
		if !l.known[w] {
			l.r.t.Fatalf("%q: what is %s?", l.words, w)
		}
	}
}

func (l *scriptLine) num(key string, otherwise uint64) uint64 {
	v, ok := l.get(key)
	if !ok {
		return otherwise
	}
	return l.parse(v)
}

func (l *scriptLine) parse(v string) uint64 {
	n, err := strconv.ParseUint(v, 10, 64)
	l.r.must(err)
	return n
}

func (l *scriptLine) numbers(key string) (all []uint64) {
	for _, n := range strings.FieldsFunc(l.text(key), func(c rune) bool { return c == ',' }) {
		all = append(all, l.parse(n))
	}
	return all
}

func (l *scriptLine) flag(name string) bool {
	l.known[name] = true
	return slices.Contains(l.words, name)
}

// header numbers an operation of the session that the first word names.
func (l *scriptLine) header() OpHeader {
	name := l.word(1)
	n := l.num("n", l.r.numbers[name]+1)
	l.r.numbers[name] = max(n, l.r.numbers[name])
	h := OpHeader{Session: sessionID(name), Epoch: l.num("epoch", 1), Number: n, AnsweredThrough: l.num("answered", 0)}
	if _, ok := l.get("pred"); ok {
		h.Ordered, h.Predecessor = true, l.num("pred", 0)
	}
	return h
}

func (l *scriptLine) settings() Settings {
	limit := int64(l.num("failures", 0))
	if l.text("unlimited") != "" {
		limit = UnlimitedFailures
	}
	t := Settings{MaxMessages: l.num("max", 0), MaxBytes: l.num("bytes", 0), FailureLimit: int32(limit),
		LeaseMillis: uint32(l.num("lease", 0)), DLQMessages: l.num("dlqmax", 0), DLQBytes: l.num("dlqbytes", 0),
		DedupMillis: uint32(l.num("window", 0)), DedupCapacity: uint32(l.num("ids", 0)),
		Overflow:  pick(l, "overflow", map[string]Overflow{"reject": OverflowReject, "drop-oldest": OverflowDropOldest, "drop-new": OverflowDropNew, "9": 9}),
		TTLMillis: l.num("ttl", 0), ExpiredDead: l.text("expired") == "dead",
		Retry: pick(l, "retry", retryNames), RetryBaseMillis: uint32(l.num("base", 0)),
		RetryMaxMillis: uint32(l.num("most", 0)), RetryFactor: uint32(l.num("factor", 0))}
	l.orderSettings(&t)
	return t
}

func (r *script) parse(text string) Command {
	l := &scriptLine{r: r, set: map[string]string{}, known: map[string]bool{}}
	for _, f := range strings.Fields(text) {
		if k, v, ok := strings.Cut(f, "="); ok {
			if _, twice := l.set[k]; twice {
				r.t.Fatalf("%s twice: %q", k, text)
			}
			l.set[k] = v
		} else {
			l.words = append(l.words, f)
		}
	}
	l.word(0)
	c := l.command()
	l.check()
	return c
}

func (l *scriptLine) command() Command {
	secret := SecretHash{1}
	secret[1] = byte(l.num("secret", 0))
	switch l.words[0] {
	case "leader":
		return &Leader{Node: "n"}
	case "lost":
		return &DetachNode{Node: l.word(1)}
	case "open":
		return &Open{Session: sessionID(l.word(1)), Secret: secret, Principal: l.text("principal"), IdleExpiryMillis: uint32(l.num("idle", 0))}
	case "attach":
		a := &Attach{Session: sessionID(l.word(1)), Secret: secret, Epoch: l.num("epoch", 1), Node: l.text("node")}
		if a.Node == "" {
			a.Node = "n1"
		}
		a.Tokens = l.numbers("tokens")
		return a
	case "detach":
		d := &Detach{Session: sessionID(l.word(1)), Epoch: l.num("epoch", 1), Node: "n1", Cause: DetachCause(l.num("cause", 1))}
		if l.text("node") != "" {
			d.Node = l.text("node")
		}
		return d
	case "end":
		return &End{Session: sessionID(l.word(1)), Epoch: l.num("epoch", 1)}
	case "credit":
		return &Credit{Session: sessionID(l.word(1)), Epoch: l.num("epoch", 1), Consumer: uint32(l.parse(l.word(2))), Through: l.num("through", 0)}
	case "await": // await s1 number
		return &Await{Session: sessionID(l.word(1)), Epoch: l.num("epoch", 1), Number: l.parse(l.word(2))}
	case "version":
		return &SetVersion{Version: Version(l.parse(l.word(1)))}
	case "checkpoint":
		return &Checkpoint{}
	}
	return l.operation()
}

func (l *scriptLine) operation() Command {
	h := l.header()
	switch l.words[0] {
	case "publish": // publish s1 q [count=N] [size=N] [subject=a.b] [id=text] [body=text] [raw=text]
		p := &Publish{OpHeader: h, Queue: l.word(2), Count: uint32(l.num("count", 1))}
		p.Records = l.records(int(min(p.Count, 2000)))
		if raw, ok := l.get("raw"); ok {
			p.Records = []byte(raw)
		}
		return p
	case "ack", "nack", "reject", "extend": // ack s1 inc-place-token ...
		return &Settle{OpHeader: h, Items: l.items()}
	case "consume":
		return &Consume{OpHeader: h, Consumer: uint32(l.parse(l.word(2))), Queue: l.word(3),
			CreditMessages: uint32(l.num("credit", 0)), CreditBytes: uint32(l.num("bytes", 0)),
			Concurrency: uint32(l.num("handlers", 0)), NoAck: l.flag("noack"), LeaseMillis: uint32(l.num("lease", 0))}
	case "cancel":
		return &Cancel{OpHeader: h, Consumer: uint32(l.parse(l.word(2))), Return: l.flag("return")}
	case "create":
		return &QueueCreate{OpHeader: h, Queue: l.word(2), Settings: l.settings()}
	case "update":
		return &QueueUpdate{OpHeader: h, Queue: l.word(2), Settings: l.settings()}
	case "delete":
		return &QueueDelete{OpHeader: h, Queue: l.word(2), IfEmpty: l.flag("if-empty"), IfUnused: l.flag("if-unused")}
	case "purge":
		return &QueuePurge{OpHeader: h, Queue: l.word(2)}
	case "resume-group": // resume-group s1 q group
		return &GroupResume{OpHeader: h, Queue: l.word(2), Group: l.word(3)}
	case "weight": // weight s1 q tenant N
		return &TenantWeight{OpHeader: h, Queue: l.word(2), Tenant: l.word(3), Weight: uint32(l.parse(l.word(4)))}
	case "request": // request s1 q deadline=wall [noretry] [taken=1,2] [size=N]
		return &Request{OpHeader: h, Queue: l.word(2), NoRetry: l.flag("noretry"), Taken: l.numbers("taken"),
			Records: recordsOfKind(int(l.num("count", 1)), int(l.num("size", 10)), l.message())}
	case "reply": // reply s1 incarnation-place-token [size=N]
		it := l.items()[0]
		return &Reply{OpHeader: h, Incarnation: it.Incarnation, Place: it.Place, Token: it.Token,
			Records: testRecords(1, int(l.num("size", 10)))}
	case "remove", "move", "requeue", "schedule": // remove s1 q place-index-position ... [to=q] [at=wall] [reset]
		return l.amend(h)
	case "breaker": // breaker s1 q open|close
		return &Breaker{OpHeader: h, Queue: l.word(2), Action: breakerActions[l.word(3)]}
	case "pause", "resume":
		return &QueuePause{OpHeader: h, Queue: l.word(2), Paused: l.words[0] == "pause"}
	}
	if c := l.intake(h); c != nil {
		return c
	}
	l.r.t.Fatalf("unknown command %q", l.words)
	return nil
}

func (l *scriptLine) items() (items []SettleItem) {
	actions := map[string]Action{"ack": ActionAck, "nack": ActionNack, "reject": ActionReject, "extend": ActionExtend}
	for _, w := range l.rest(2) {
		p := strings.Split(w, "-")
		if len(p) != 3 {
			l.r.t.Fatalf("want incarnation-place-token: %q", w)
		}
		items = append(items, SettleItem{Incarnation: l.parse(p[0]), Place: l.parse(p[1]), Token: l.parse(p[2]),
			Action: actions[l.words[0]], Reason: Reason(l.num("reason", 1)), Error: l.text("error"),
			DelayMillis: uint32(l.num("delay", 0))})
	}
	return items
}
