package fsm

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport/wire"
)

var update = flag.Bool("update", false, "write what the scripts print into testdata")

// A script is a row of blocks, divided by empty lines: input, "----", output.
// The commands of a block are one entry; lines that begin with ? look at the
// state after it. "bounds" sets those that are too high for a script. "at N" sets the lease clock, and the wall clock 1,000,000
// above it. Operations are numbered by themselves unless n= says otherwise.
//
// Each entry is also applied to a replica that is restored from a snapshot
// before every entry; both must agree on digest and hash.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := &script{t: t, s: New(7), replica: New(7), numbers: map[string]uint64{}}
	r.s.SetTrace(func(e TraceEvent) { r.told = append(r.told, e) })
	var out strings.Builder
	for i, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		input, want, _ := strings.Cut(block, "----")
		if input = strings.Trim(input, "\n"); input == "" {
			continue
		}
		got := strings.TrimSpace(r.block(input))
		if want = strings.TrimSpace(want); got != want && !*update {
			t.Errorf("%s, block %d:\n%s\n---- got\n%s\n---- want\n%s", file, i+1, input, got, want)
		}
		fmt.Fprintf(&out, "%s\n\n", strings.TrimSpace(input+"\n----\n"+got))
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.TrimSpace(out.String())+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

type script struct {
	t       *testing.T
	s       *State
	replica *State
	numbers map[string]uint64
	lease   int64
	told    []TraceEvent
	out     strings.Builder
}

func (r *script) block(input string) string {
	r.out.Reset()
	var commands []byte
	var names, looks []string
	entry := false
	for line := range strings.Lines(input) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '?':
			looks = append(looks, line)
		case strings.HasPrefix(line, "bounds "):
			r.lower(strings.Fields(line)[1:])
		case strings.HasPrefix(line, "at "):
			n, err := strconv.ParseInt(line[3:], 10, 64)
			r.must(err)
			r.lease, entry = n, true
		default:
			commands = Append(commands, r.parse(line))
			names, entry = append(names, line), true
		}
	}
	if entry {
		r.apply(commands, names)
	}
	for _, l := range looks {
		r.look(strings.Fields(l[1:]))
	}
	return r.out.String()
}

// lower sets bounds to what a script can reach.
func (r *script) lower(settings []string) {
	b := r.s.Bounds()
	bounds := map[string]*int{
		"room": &b.Room, "tenants": &b.Tenants, "groups": &b.Groups, "lines": &b.Lines, "fanout": &b.FanOut,
		"held": &b.Held, "move": &b.Move, "due": &b.Due, "reclaim": &b.Reclaim,
	}
	for _, x := range settings {
		name, value, _ := strings.Cut(x, "=")
		bound := bounds[name]
		if bound == nil {
			r.t.Fatalf("no bound %q", name)
		}
		n, err := strconv.Atoi(value)
		r.must(err)
		*bound = n
	}
	r.s.SetBounds(b)
}

func (r *script) must(err error) {
	if err != nil {
		r.t.Helper()
		r.t.Fatal(err)
	}
}

func (r *script) apply(commands []byte, names []string) {
	at := Clock{WallMillis: r.lease + 1_000_000, LeaseMillis: r.lease}
	entry := append(AppendEntryHeader(nil, VersionCurrent, at, len(names)), commands...)
	var b bytes.Buffer
	_, err := r.replica.Snapshot().WriteTo(&b)
	r.must(err)
	r.replica, err = Restore(&b)
	r.must(err)
	r.replica.SetBounds(r.s.Bounds())
	index, before := r.s.Index()+1, len(r.told)
	var told []TraceEvent
	if index%2 == 0 { // what is told is the same at both, and changes nothing where nobody is told
		r.replica.SetTrace(func(e TraceEvent) { told = append(told, e) })
	}
	a, err := r.s.Apply(index, entry)
	r.must(err)
	_, err = r.replica.Apply(index, slices.Clone(entry))
	r.must(err)
	r.must(r.s.Check())
	r.must(r.replica.Check())
	if r.s.Digest() != r.replica.Digest() || r.s.Hash() != r.replica.Hash() {
		r.t.Fatalf("entry %d: the replica differs", index)
	}
	if index%2 == 0 && !slices.Equal(told, r.told[before:]) {
		r.t.Fatalf("entry %d: the replica was told %+v, want %+v", index, told, r.told[before:])
	}
	for i := range a.Results {
		fmt.Fprintf(&r.out, "%s: %s\n", strings.Fields(names[i])[0], showResult(&a.Results[i]))
	}
	for i := range a.Effects {
		fmt.Fprintln(&r.out, r.showEffect(&a.Effects[i]))
	}
	if a.Checkpoint {
		fmt.Fprintln(&r.out, "checkpoint")
	}
}

func showResult(x *Result) string {
	s := codeNames[x.Code]
	if x.Cause != 0 {
		s += "{" + causeNames[x.Cause] + "}"
	}
	if x.RetryAfterMillis != 0 {
		s += fmt.Sprintf(" retry=%d", x.RetryAfterMillis)
	}
	s += fmt.Sprintf(" @%d-%d", x.Index, x.Position)
	if x.Value != 0 {
		s += fmt.Sprintf(" value=%d", x.Value)
	}
	if x.Detail != "" {
		s += fmt.Sprintf(" %q", x.Detail)
	}
	for _, v := range x.Items {
		s += " [" + codeNames[v.Code]
		if v.Cause != 0 {
			s += "{" + causeNames[v.Cause] + "}"
		}
		if v.FirstIndex != 0 {
			s += fmt.Sprintf(" %d-%d", v.FirstIndex, v.FirstPosition)
		}
		s += "]"
	}
	return s
}

func (r *script) showEffect(e *Effect) string {
	who := fmt.Sprintf("%s/%d@%s e%d", sessionName(e.Session), e.Consumer, e.Node, e.Epoch)
	if e.Kind == EffectClosed {
		return "closed " + who + " " + codeNames[e.Code]
	}
	if e.Kind == EffectAnswer {
		return r.showAnswer(e)
	}
	body, err := e.Body.Load()
	r.must(err)
	s := fmt.Sprintf("deliver %s place=%d-%d", who, e.Incarnation, e.Place)
	if e.Token != 0 {
		s += fmt.Sprintf(" token=%d lease=%d", e.Token, e.LeaseMillis)
	} else {
		s += fmt.Sprintf(" number=%d", e.Number)
	}
	s += fmt.Sprintf(" id=%d-%d-%d attempt=%d", e.ID.Group, e.ID.Index, e.ID.Position, e.Attempt)
	if e.Failures != 0 {
		s += fmt.Sprintf(" failures=%d", e.Failures)
	}
	view, err := record.Parse(body)
	r.must(err)
	if e.Request {
		s += " request"
	}
	return s + showDeath(e.Death) + fmt.Sprintf(" %.8q", view.Body())
}

func showDeath(d *Death) string {
	if d == nil {
		return ""
	}
	return fmt.Sprintf(" dead{%s %s attempts=%d failures=%d %q at=%d}", d.Queue, d.Reason, d.Attempts, d.Failures, d.Error, d.AtMillis)
}

// showHistory shows the attempts of a dead letter.
func showHistory(w io.Writer, d *Death) {
	for _, a := range d.History {
		fmt.Fprintf(w, "  %s/%d token=%d %q at=%d\n", sessionName(a.Session), a.Consumer, a.Token, a.Error, a.AtMillis)
	}
	if d.Forgotten > 0 {
		fmt.Fprintf(w, "  and %d before\n", d.Forgotten)
	}
}

func showIf(w io.Writer, name string, v int64) {
	if v != 0 {
		fmt.Fprintf(w, " %s=%d", name, v)
	}
}

func (r *script) look(f []string) {
	switch f[0] {
	case "queue":
		q, ok := r.s.Queue(f[1])
		if !ok {
			fmt.Fprintln(&r.out, "no queue")
			return
		}
		fmt.Fprintf(&r.out, "%s: ready=%d leased=%d parked=%d bytes=%d consumers=%d published=%d acked=%d dead=%d purged=%d",
			q.Name, q.Ready, q.Leased, q.Parked, q.Bytes, q.Consumers, q.Published, q.Acked, q.Dead, q.Purged)
		r.some("groups", q.Groups)
		r.some("groups-parked", q.GroupsParked)
		r.some("overflowed", q.Overflowed)
		r.some("missed", q.Missed)
		r.some("duplicates", q.Duplicates)
		r.some("scheduled", q.Scheduled)
		r.some("retrying", q.Retrying)
		r.some("expired", q.Expired)
		r.some("ids", q.DedupIDs)
		fmt.Fprintln(&r.out)
	case "messages":
		r.s.Messages(f[1], func(m MessageInfo) bool {
			fmt.Fprintf(&r.out, "%s place=%d id=%d-%d attempts=%d failures=%d%s", stateNames[m.State], m.Place, m.ID.Index,
				m.ID.Position, m.Attempts, m.Failures, showDeath(m.Death))
			showIf(&r.out, "at", m.ReadyMillis)
			showIf(&r.out, "expires", m.ExpiresMillis)
			r.order(&m)
			if m.Token != 0 {
				fmt.Fprintf(&r.out, " token=%d until=%d", m.Token, m.DeadlineMillis)
			}
			fmt.Fprintln(&r.out)
			return true
		})
	case "history": // of the dead letters of a queue
		r.s.Messages(f[1], func(m MessageInfo) bool {
			if m.Death != nil {
				fmt.Fprintf(&r.out, "place=%d\n", m.Place)
				showHistory(&r.out, m.Death)
			}
			return true
		})
	case "session":
		x, ok := r.s.Session(sessionID(f[1]))
		if !ok {
			fmt.Fprintln(&r.out, "no session")
			return
		}
		fmt.Fprintf(&r.out, "%s: epoch=%d node=%q judged=%d answered=%d ordered=%d kept=%d items=%d consumers=%d\n", f[1],
			x.Epoch, x.Node, x.Judged, x.AnsweredThrough, x.LastOrdered, x.KeptResults, x.KeptItems, len(x.Consumers))
	case "next":
		d, _ := r.s.NextDeadline()
		fmt.Fprint(&r.out, "next")
		showIf(&r.out, "lease", d.LeaseMillis)
		showIf(&r.out, "wall", d.WallMillis)
		fmt.Fprintln(&r.out, " clock", r.s.NeedsClock())
	case "topic":
		r.lookTopic(f[1])
	case "tenants":
		page, _, _ := r.s.Tenants(f[1], "", MaxTenants)
		fmt.Fprintln(&r.out, "tenants", page)
	case "breaker":
		r.lookBreaker(f[1])
	case "explain":
		r.lookExplain(f[1])
	case "trace":
		r.lookTrace(f[1])
	case "bodies":
		fmt.Fprintln(&r.out, "bodies", r.s.MessageCount())
	default:
		r.t.Fatalf("unknown look %q", f)
	}
}

// lookTrace shows what became of a message, index-position.
func (r *script) lookTrace(id string) {
	for _, e := range r.told {
		if fmt.Sprintf("%d-%d", e.ID.Index, e.ID.Position) != id {
			continue
		}
		fmt.Fprintf(&r.out, "@%d %s", e.Index, e.Kind)
		if e.Queue != "" {
			fmt.Fprintf(&r.out, " %s", e.Queue)
		}
		switch {
		case e.Consumer != 0:
			fmt.Fprintf(&r.out, " %s/%d@%s", sessionName(e.Session), e.Consumer, e.Node)
		case e.Session != (SessionID{}):
			fmt.Fprintf(&r.out, " by %s@%s", sessionName(e.Session), e.Node)
		}
		showIf(&r.out, "token", int64(e.Token))
		if e.Detail != "" {
			fmt.Fprintf(&r.out, " %q", e.Detail)
		}
		fmt.Fprintln(&r.out)
	}
}

// some shows a count that is mostly 0.
func (r *script) some(name string, n uint64) {
	if n != 0 {
		fmt.Fprintf(&r.out, " %s=%d", name, n)
	}
}

// testRecords encodes count records, each with a body of size bytes.
func testRecords(count, size int) []byte { return recordsOfKind(count, size, record.Message{}) }

// recordsOfKind encodes them with the attributes of a message.
func recordsOfKind(count, size int, m record.Message) []byte {
	var out []byte
	for i := range count {
		text := fmt.Sprintf("m%d ", i)
		text += strings.Repeat("x", max(0, size-len(text)))
		m.Body = []byte(text[:size])
		b, err := record.Append(nil, &m)
		if err != nil {
			panic(err)
		}
		out = wire.AppendBytes(out, b)
	}
	return out
}

func sessionID(name string) (id SessionID) {
	copy(id[:], name)
	return id
}

func sessionName(id SessionID) string { return string(bytes.TrimRight(id[:], "\x00")) }

var stateNames = map[MessageState]string{Ready: "ready", Leased: "leased", Parked: "parked", Scheduled: "scheduled",
	Retrying: "retrying"}

var retryNames = map[string]Retry{"": RetryExponential, "exponential": RetryExponential, "fixed": RetryFixed,
	"linear": RetryLinear, "immediate": RetryImmediate}

var codeNames = map[Code]string{OK: "ok", Duplicate: "duplicate", Dropped: "dropped", AlreadyDone: "already_done",
	LeaseLost: "lease_lost", Busy: "busy", Conflict: "conflict", NotFound: "not_found", Overtaken: "overtaken",
	OutOfOrder: "out_of_order", SessionExpired: "session_expired", Fenced: "fenced", TooLarge: "too_large",
	Invalid: "invalid", Unsupported: "unsupported", Denied: "denied", InUse: "in_use",
	NoResponders: "no_responders", ResponderLost: "responder_lost", Expired: "expired", DeadLettered: "dead_lettered"}

var causeNames = map[Cause]string{CauseMessages: "messages", CauseBytes: "bytes", CauseWindow: "window",
	CauseSessions: "sessions", CauseDedup: "dedup", CauseExpired: "expired", CauseSettled: "settled", CauseSessionEnded: "session_ended",
	CauseQueueGone: "queue_gone", CauseNotHolder: "not_holder", CauseUnknownToken: "unknown_token",
	CauseRequeued: "requeued", CauseRequests: "requests",
	CauseTenants: "tenants", CauseGroups: "groups", CauseRoom: "room", CauseEntry: "entry"}
