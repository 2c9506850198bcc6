package fsm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// busyState is a state with something of everything, from random commands.
func busyState(t testing.TB, entries int) (*State, func()) {
	s := prepared(t)
	rng := rand.New(rand.NewPCG(1, 2))
	var lease int64
	step := func() {
		b := make([]byte, 120)
		for i := range b {
			b[i] = byte(rng.Uint32() >> 9)
		}
		b[1] = 0 // no raw bytes
		if _, err := s.Apply(s.Index()+1, (&feed{b: b}).entry(&lease)); err != nil {
			t.Fatal(err)
		}
	}
	for range entries {
		step()
	}
	return s, step
}

// A pinned snapshot is written by another goroutine while the state changes;
// its bytes are those it had when it was taken.
func TestSnapshotIsPinned(t *testing.T) {
	s, step := busyState(t, 200)
	for range 20 {
		var before, after bytes.Buffer
		if _, err := s.Snapshot().WriteTo(&before); err != nil {
			t.Fatal(err)
		}
		p := s.Snapshot()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := p.WriteTo(&after); err != nil {
				t.Error(err)
			}
		})
		for range 50 {
			step()
		}
		wg.Wait()
		if !bytes.Equal(before.Bytes(), after.Bytes()) {
			t.Fatal("the snapshot changed after it was taken")
		}
		p.Release()
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLargeSnapshotComesBack(t *testing.T) {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	d.publish("q", 5000)
	d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: 1, Records: testRecords(1, MaxMessageBytes)})
	d.ok(&Consume{OpHeader: d.op(), Queue: "q", Consumer: 1, CreditMessages: 700})
	c := copyOf(t, d.s)
	if c.Hash() != d.s.Hash() || c.Digest() != d.s.Digest() || c.Index() != d.s.Index() || c.Group() != 1 || c.Bytes() != d.s.Bytes() {
		t.Fatal("it came back different")
	}
	// Where its chunks begin is no part of the state, and leaves no trace.
	for range 3 {
		entry := entryOf(Clock{}, &Publish{OpHeader: d.op(), Queue: "q", Count: 200, Records: testRecords(200, 4)},
			&Cancel{OpHeader: d.op(), Consumer: 1, Return: true}, &Consume{OpHeader: d.op(), Queue: "q", Consumer: 1, CreditMessages: 900})
		for _, s := range []*State{d.s, c} {
			if _, err := s.Apply(s.Index()+1, entry); err != nil {
				t.Fatal(err)
			}
		}
	}
	if c.Hash() != d.s.Hash() {
		t.Fatal("they went on differently")
	}
}

// withJunk has a queue that was just purged, of two messages more than are
// reclaimed at once: one of a line of its own, and one that waits.
func withJunk(t testing.TB) *driver {
	d := newDriver(t)
	d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
	d.publish("q", reclaimMax)
	for _, m := range []record.Message{{GroupKey: "g"}, {DelayMillis: 60_000}} {
		d.ok(&Publish{OpHeader: d.op(), Queue: "q", Count: 1, Records: recordsOfKind(1, 4, m)})
	}
	d.ok(&QueuePurge{OpHeader: d.op(), Queue: "q"})
	return d
}

// What was purged and is not reclaimed yet comes back with what is said of it.
func TestJunkComesBack(t *testing.T) {
	d := withJunk(t)
	purge := d.s.Index()
	c := copyOf(t, d.s)
	var told []TraceEvent
	c.SetTrace(func(e TraceEvent) { told = append(told, e) })
	if _, err := c.Apply(c.Index()+1, entryOf(Clock{})); err != nil {
		t.Fatal(err)
	}
	if len(told) != 2 || told[1].Kind != TracePurged || told[1].Queue != "q" || told[1].Detail != fmt.Sprintf("by entry %d", purge) {
		t.Fatalf("%+v", told)
	}
	for _, change := range []func(*junk){
		func(j *junk) { j.why = 0 },
		func(j *junk) { j.why = goneLast + 1 },
		func(j *junk) { j.index = d.s.Index() + 1 },
	} {
		p := d.s.Snapshot()
		serial, j, _ := p.junk.Min()
		bad := *j
		change(&bad)
		p.junk.Set(serial, &bad)
		var b bytes.Buffer
		if _, err := p.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(&b); !errors.Is(err, ErrSnapshot) {
			t.Errorf("junk of cause %d, entry %d: %v", bad.why, bad.index, err)
		}
	}
}

// What a message cannot be, it does not come back as.
func TestUnfitMessagesAreRefused(t *testing.T) {
	for name, change := range map[string]func(*message){
		"as it is":                  func(*message) {},
		"no request, without retry": func(m *message) { m.flags = m.flags&^flagRequest | flagNoRetry },
		"extended, and not leased":  func(m *message) { m.flags |= flagExtended },
		"ready when it is over":     func(m *message) { m.expires = m.at },
	} {
		d := newDriver(t)
		d.ok(&QueueCreate{OpHeader: d.op(), Queue: "q"})
		d.ok(&Consume{OpHeader: d.op(), Consumer: 1, Queue: "q", CreditMessages: 1})
		d.ok(&Request{OpHeader: d.op(), Queue: "q", NoRetry: true,
			Records: recordsOfKind(1, 4, record.Message{DelayMillis: 500, DeadlineMillis: 1000})})
		q := d.s.queueNamed("q")
		place, m, _ := q.waiting.Min()
		change(&m)
		q.waiting.Set(place, m)
		var b bytes.Buffer
		if _, err := d.s.Snapshot().WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(&b); errors.Is(err, ErrSnapshot) != (name != "as it is") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDamagedSnapshotsAreRefused(t *testing.T) {
	s, _ := busyState(t, 50)
	var b bytes.Buffer
	n, err := s.Snapshot().WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatal(n, err)
	}
	whole := b.Bytes()
	for i := range whole {
		bad := bytes.Clone(whole)
		bad[i] ^= 0x40
		if _, err := Restore(bytes.NewReader(bad)); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if _, err := Restore(bytes.NewReader(whole[:i])); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("cut at byte %d: %v", i, err)
		}
	}
}

// A full disk is reported.
func TestSnapshotReportsWriteErrors(t *testing.T) {
	s, _ := busyState(t, 50)
	if _, err := s.Snapshot().WriteTo(&fullDisk{left: 100}); !errors.Is(err, io.ErrShortWrite) {
		t.Fatal(err)
	}
}

type fullDisk struct{ left int }

func (w *fullDisk) Write(b []byte) (int, error) {
	if len(b) > w.left {
		return w.left, io.ErrShortWrite
	}
	w.left -= len(b)
	return len(b), nil
}

// The lane gives what was put in, in order, at any mix of both, pinned or not.
func TestLaneIsAQueue(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var l lane
	var want []packed
	var places []uint64
	m := packed{index: 1}
	place := uint64(0)
	for range 200 {
		for range rng.IntN(900) {
			place++
			if rng.IntN(500) == 0 {
				place += 3
			}
			if rng.IntN(3) == 0 {
				m.index += uint64(rng.IntN(1 << 20))
				m.position = uint32(rng.IntN(5))
			} else {
				m.position++
			}
			m.size, m.wall = uint32(rng.IntN(MaxMessageBytes)), m.wall+int64(rng.IntN(3))
			l.append(place, m)
			want, places = append(want, m), append(places, place)
		}
		pinned := l
		l = l.clone()
		for range rng.IntN(20) {
			if len(want) == 0 {
				break
			}
			i := rng.IntN(len(want))
			if got, ok := l.find(places[i]); !ok || got != want[i] {
				t.Fatalf("place %d: found %+v, want %+v", places[i], got, want[i])
			}
			l.remove(places[i])
			if _, ok := l.find(places[i]); ok {
				t.Fatalf("place %d is found after it was removed", places[i])
			}
			want, places = slices.Delete(want, i, i+1), slices.Delete(places, i, i+1)
		}
		for range rng.IntN(900) {
			at, got, ok := l.front()
			if !ok {
				break
			}
			if got != want[0] || at != places[0] {
				t.Fatalf("place %d: %+v, want %d: %+v", at, got, places[0], want[0])
			}
			l.pop()
			want, places = want[1:], places[1:]
		}
		if l.count != uint64(len(want)) {
			t.Fatalf("%d waiting, want %d", l.count, len(want))
		}
		n := uint64(0)
		pinned.each(func(uint64, packed) bool { n++; return true })
		if n != pinned.count {
			t.Fatalf("the pinned one has %d of %d", n, pinned.count)
		}
	}
}
