package modeltest

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/ferrymq/ferrymq/fsm"
)

const (
	group   = 7
	entries = 320 // of a history, on average 2.5 commands each

	// compareEvery is how often the whole state is compared with the model's.
	// Results and effects are at every entry.
	compareEvery = 3

	behindFor = 4 // entries that a replica goes on by itself
)

func TestMain(m *testing.M) {
	flag.Parse()
	set := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if !set["rapid.checks"] {
		if err := flag.Set("rapid.checks", fmt.Sprint(checks)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	os.Exit(m.Run())
}

// The machine does what the model says, and every way to the same state gives
// the same state: one replica follows entry by entry and is thrown away for a
// snapshot now and then, another replays the log at the end.
func TestMachineAgainstModel(t *testing.T) {
	c := newCoverage()
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t, c)
		for range entries {
			h.step(t)
		}
		h.unpin(t)
		h.compare(t)
		h.replay(t)
	})
	if !t.Failed() {
		c.check(t)
	}
}

// history is one run of a group.
type history struct {
	cover    *coverage
	generate *generator
	model    *Model
	state    *fsm.State
	replica  *fsm.State
	bounds   fsm.Bounds
	index    uint64
	clock    fsm.Clock
	log      []logged
	held     *pinned
	traced   traced
}

// pinned is a snapshot that is held while entries go on.
type pinned struct {
	snapshot *fsm.Snapshot
	hash     [32]byte
}

type logged struct {
	index uint64
	entry []byte
}

func newHistory(t *rapid.T, c *coverage) *history {
	b := bounds(t)
	m := New(group, b)
	h := &history{
		cover: c, model: m, state: bounded(fsm.New(group), b), replica: bounded(fsm.New(group), b), bounds: b,
		generate: &generator{m: m}, clock: fsm.Clock{WallMillis: 1_000_000},
	}
	h.trace()
	return h
}

// bounds are mostly so low that a history reaches them.
func bounds(t *rapid.T) fsm.Bounds {
	b := fsm.New(group).Bounds()
	return fsm.Bounds{
		Room:    choose(t, "room", 0, 0, 0, 1, 2, b.Room),
		Tenants: choose(t, "tenants", 1, 1, 1, 1, 1, 1, 2, b.Tenants),
		Groups:  choose(t, "groups", 1, 2, 4, b.Groups),
		Lines:   choose(t, "lines", 1, 2, 4, b.Lines),
		FanOut:  choose(t, "fan-out", 2, 2, 3, 3, 4, 5, b.FanOut),
		Held:    choose(t, "held", 1, 3, b.Held),
		Words:   b.Words,
		Move:    b.Move,
		Due:     b.Due,
		Reclaim: choose(t, "reclaim", 1, 1, 2, 5, b.Reclaim),
	}
}

func bounded(s *fsm.State, b fsm.Bounds) *fsm.State {
	s.SetBounds(b)
	return s
}

// step makes an entry and applies it everywhere.
func (h *history) step(t *rapid.T) {
	h.index += uint64(1 + percent(t, "skipped index")/90)
	h.advance(t)
	h.generate.next, h.generate.reordered = map[fsm.SessionID]uint64{}, false
	var commands []Command
	var body []byte
	for range choose(t, "commands", 0, 1, 2, 3, 4, 5) {
		c := h.generate.command(t)
		commands = append(commands, c)
		body = fsm.Append(body, c.Command)
	}
	entry := append(fsm.AppendEntryHeader(nil, fsm.VersionCurrent, h.clock, len(commands)), body...)
	h.log = append(h.log, logged{h.index, bytes.Clone(entry)})
	got, err := h.state.Apply(h.index, entry)
	if err != nil {
		t.Fatalf("entry %d: %v\n%s", h.index, err, h.told())
	}
	if err := h.model.Apply(h.index, h.clock, commands, got, h.look, h.traced.state); err != nil {
		t.Fatalf("entry %d: %v\n%s", h.index, err, h.told())
	}
	if h.index%compareEvery == 0 {
		h.compare(t)
	}
	h.cover.note(commands, got)
	h.cover.look(h.model)
	h.follow(t, bytes.Clone(entry))
}

// compare looks at everything that can be seen of the state.
func (h *history) compare(t *rapid.T) {
	for _, check := range []func(*Model, *fsm.State) error{same, wakes, explains} {
		if err := check(h.model, h.state); err != nil {
			t.Fatalf("after entry %d: %v\n%s", h.index, err, h.told())
		}
	}
}

func (h *history) look(queue string) (all []fsm.MessageInfo) {
	h.state.Messages(queue, func(info fsm.MessageInfo) bool {
		all = append(all, info)
		return true
	})
	return all
}

// advance moves the clocks; now and then a leader's are behind.
func (h *history) advance(t *rapid.T) {
	h.clock.WallMillis += int64(choose(t, "wall", 0, 1, 7, 1000, -500))
	h.clock.LeaseMillis += int64(choose(t, "lease", 0, 0, 1, 3, 10, 40, 40, 300, 300, 1000, 2500, -200, 5000))
	if percent(t, "pause") < 2 {
		h.clock.LeaseMillis += 30_000
	}
	if percent(t, "long pause") == 0 && percent(t, "long") < 25 {
		h.clock.LeaseMillis += fsm.DefaultIdleExpiryMillis
	}
	h.clock.WallMillis, h.clock.LeaseMillis = max(0, h.clock.WallMillis), max(0, h.clock.LeaseMillis)
}

// follow applies the entry at the replica, which is replaced by what a snapshot
// of either brings back now and then.
func (h *history) follow(t *rapid.T, entry []byte) {
	if _, err := h.replica.Apply(h.index, entry); err != nil {
		t.Fatalf("replica, entry %d: %v", h.index, err)
	}
	if h.replica.Digest() != h.state.Digest() {
		t.Fatalf("the replica differs at entry %d", h.index)
	}
	if err := h.traced.same(); err != nil {
		t.Fatalf("entry %d: %v", h.index, err)
	}
	switch percent(t, "snapshot") {
	case 0:
		h.replica = h.restored(t, h.state)
	case 1:
		h.replica = h.restored(t, h.replica)
	case 2:
		h.unpin(t)
		h.held = &pinned{h.state.Snapshot(), h.state.Hash()}
	case 3:
		h.unpin(t)
	case 4:
		if err := h.state.Check(); err != nil {
			t.Fatalf("after entry %d: %v\n%s", h.index, err, h.told())
		}
	case 5:
		h.fallBehind(t)
	}
}

// fallBehind has the replica go on by itself, with the clocks far ahead and bounds
// by which an entry does little of what is due. What it leaves is the same for one
// that is restored in between.
func (h *history) fallBehind(t *rapid.T) {
	s := h.replica
	h.replica = h.restored(t, h.state)
	low := h.bounds
	low.Due, low.Move = choose(t, "due", 1, 1, 2, 3), choose(t, "moved", 1, 1, 2)
	clock := h.clock
	clock.LeaseMillis += int64(choose(t, "behind", 1000, 10_000, 100_000, fsm.DefaultIdleExpiryMillis))
	clock.WallMillis += int64(choose(t, "late", 0, 1000, 30_000))
	bounded(s, low).SetTrace(nil)
	for range behindFor {
		other := bounded(h.copied(t, s), low)
		entry := h.untold(t, clock)
		for _, x := range []*fsm.State{s, other} {
			if _, err := x.Apply(x.Index()+1, bytes.Clone(entry)); err != nil {
				t.Fatalf("behind, entry %d: %v", x.Index()+1, err)
			}
			if err := x.Check(); err != nil {
				t.Fatalf("behind, after entry %d: %v\n%s", x.Index(), err, h.told())
			}
		}
		sameHash(t, s, other, "behind")
		at, _ := s.NextDeadline()
		left := at.LeaseMillis != 0 && at.LeaseMillis <= clock.LeaseMillis || at.WallMillis != 0 && at.WallMillis <= clock.WallMillis
		h.cover.see(left, "entries that leave something due")
	}
}

// untold is an entry of which the model never hears.
func (h *history) untold(t *rapid.T, clock fsm.Clock) []byte {
	h.generate.next, h.generate.reordered = map[fsm.SessionID]uint64{}, false
	var commands []byte
	n := choose(t, "untold commands", 0, 0, 1, 2)
	for range n {
		commands = fsm.Append(commands, h.generate.command(t).Command)
	}
	return append(fsm.AppendEntryHeader(nil, fsm.VersionCurrent, clock, n), commands...)
}

// unpin writes the snapshot that was held while entries changed the state: it
// still has to be what it was.
func (h *history) unpin(t *rapid.T) {
	if h.held == nil {
		return
	}
	var file bytes.Buffer
	_, err := h.held.snapshot.WriteTo(&file)
	h.held.snapshot.Release()
	if err != nil {
		t.Fatalf("write the snapshot held: %v", err)
	}
	back, err := fsm.Restore(&file)
	if err != nil {
		t.Fatalf("restore the snapshot held: %v", err)
	}
	if back.Hash() != h.held.hash {
		t.Fatalf("the snapshot of %d changed while it was held", back.Index())
	}
	h.held = nil
	h.cover.seen["restored from a snapshot"]++
}

// restored writes a snapshot and reads it again.
func (h *history) restored(t *rapid.T, s *fsm.State) *fsm.State {
	h.cover.seen["restored from a snapshot"]++
	h.cover.see(h.model.keepsLines(), "restored with junk that has lines")
	back := h.copied(t, s)
	h.traced.follow(back)
	return bounded(back, h.bounds)
}

func (h *history) copied(t *rapid.T, s *fsm.State) *fsm.State {
	snapshot := s.Snapshot()
	defer snapshot.Release()
	var file bytes.Buffer
	if _, err := snapshot.WriteTo(&file); err != nil {
		t.Fatalf("snapshot at %d: %v", h.index, err)
	}
	back, err := fsm.Restore(&file)
	if err != nil {
		t.Fatalf("restore at %d: %v", h.index, err)
	}
	sameHash(t, s, back, "restored")
	return back
}

func sameHash(t *rapid.T, a, b *fsm.State, what string) {
	if x, y := a.Hash(), b.Hash(); x != y || a.Digest() != b.Digest() {
		t.Fatalf("%s at %d: hash %x, want %x; digest %x, want %x", what, a.Index(), y[:4], x[:4], b.Digest(), a.Digest())
	}
}

// replay applies the whole log to an empty state.
func (h *history) replay(t *rapid.T) {
	again := bounded(fsm.New(group), h.bounds)
	for _, l := range h.log {
		if _, err := again.Apply(l.index, l.entry); err != nil {
			t.Fatalf("replay, entry %d: %v", l.index, err)
		}
	}
	sameHash(t, h.state, again, "replayed")
	sameHash(t, h.state, h.replica, "replica")
}
