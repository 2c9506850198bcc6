package fsm

import (
	"fmt"
	"io"

	"github.com/ferrymq/ferrymq/transport/wire"
)

// Restore reads a snapshot. Whatever the bytes are, it returns a state that
// is whole (see Check) or an error, and never takes more memory than the
// bytes justify.
func Restore(r io.Reader) (*State, error) {
	f, err := newFrameReader(r)
	if err != nil {
		return nil, err
	}
	x := restorer{s: New(0), stage: tagHead}
	for x.stage != tagEnd {
		tag, payload, err := f.next()
		if err != nil {
			return nil, err
		}
		if err := x.frame(tag, payload); err != nil {
			return nil, fmt.Errorf("%w: frame %d: %w", ErrSnapshot, f.frame, err)
		}
	}
	if err := x.derive(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return x.s, nil
}

// Counters and deadlines in a snapshot are bounded, so that no sum with them
// overflows.
const (
	counterMax  = 1 << 62
	deadlineMax = 2 * clockMax
)

func readCounter(c *wire.Cursor) uint64 { return c.UintMax(counterMax) }

func readDeadline(c *wire.Cursor) int64 {
	at := c.Offset()
	v := c.Int()
	if v < endNow || v > deadlineMax {
		c.Fail(at, wire.ErrRange, "deadline")
		return 0
	}
	return v
}

type restorer struct {
	s     *State
	stage byte // of the last frame
	begun bool // the head was read

	shelves map[owner]*shelf    // where to put messages
	windows map[uint64]**window // where to put message ids, by queue or topic
	bodyAt  uint64              // entry of the bodies at hand
	junk    map[*shelf]bool
	body    []byte
	places  []bodyPlace
}

type bodyPlace struct {
	position    uint32
	from, until int
}

func (x *restorer) frame(tag byte, payload []byte) error {
	if x.begun == (tag == tagHead) {
		return fmt.Errorf("%w: head", wire.ErrMissing)
	}
	x.stage = tag
	c := wire.NewCursor(payload)
	for c.Left() > 0 {
		if err := x.item(tag, &c); err != nil {
			return err
		}
		if c.Err() != nil {
			return c.Err()
		}
	}
	return nil
}

func (x *restorer) item(tag byte, c *wire.Cursor) error {
	switch tag {
	case tagHead:
		return x.head(c)
	case tagTopic:
		return x.topic(c)
	case tagQueue:
		return x.queue(c)
	case tagSession:
		return x.session(c)
	case tagConsumer:
		return x.consumer(c)
	case tagSeen:
		return x.seen(c)
	case tagRequest:
		return x.request(c)
	case tagTenant:
		return x.tenant(c)
	case tagLine:
		return x.line(c)
	case tagJunk:
		return x.discarded(c)
	case tagWaiting:
		return x.waiting(c)
	case tagMessage:
		return x.message(c)
	case tagBody:
		return x.bodyItem(c)
	case tagEnd:
		if err := x.flushBodies(); err != nil {
			return err
		}
		if n := c.Uint(); n != x.s.bodies.Len() {
			return fmt.Errorf("%d bodies, want %d", x.s.bodies.Len(), n)
		}
		return nil
	}
	return fmt.Errorf("tag %d", tag)
}

func (x *restorer) head(c *wire.Cursor) error {
	s := x.s
	if x.begun {
		return fmt.Errorf("second head")
	}
	x.begun = true
	x.shelves, x.windows = map[owner]*shelf{}, map[uint64]**window{}
	x.junk = map[*shelf]bool{}
	s.group = c.Uint32()
	s.version = Version(c.Uint16())
	s.index = readCounter(c)
	s.clock.WallMillis = int64(c.UintMax(clockMax))
	s.clock.LeaseMillis = int64(c.UintMax(clockMax))
	s.tokens, s.incarnations, s.serials = readCounter(c), readCounter(c), readCounter(c)
	readFixed(c, s.digest[:])
	if s.version == 0 || s.version > VersionCurrent {
		return fmt.Errorf("%w: %d, known up to %d", ErrVersion, s.version, VersionCurrent)
	}
	return nil
}

func (x *restorer) queue(c *wire.Cursor) error {
	s := x.s
	q := &queue{gen: s.gen, shelf: &noMessages, incarnation: c.Uint(), name: c.String()}
	q.settings.read(c)
	q.paused = c.Bool()
	q.deadLetter, q.source, q.places, q.turns = c.Uint(), c.Uint(), readCounter(c), readCounter(c)
	q.active = c.Uint()
	q.published, q.acked, q.dead, q.purged = c.Uint(), c.Uint(), c.Uint(), c.Uint()
	q.expired = c.Uint()
	for range c.ArrayLen(min(recallMax, c.Left())) {
		q.recalled = append(q.recalled, c.Uint())
	}
	x.brakes(c, q)
	x.intake(c, q)
	if last, _, ok := s.queues.Max(); ok && last >= q.incarnation {
		return fmt.Errorf("queue %d after %d", q.incarnation, last)
	}
	s.queues.Set(q.incarnation, q)
	s.names.Set(q.name, q.incarnation)
	return nil
}

func (x *restorer) session(c *wire.Cursor) error {
	s := x.s
	y := &session{gen: s.gen, serial: c.Uint()}
	readFixed(c, y.id[:])
	readFixed(c, y.secret[:])
	y.principal = c.String()
	y.idleMillis = c.Uint32()
	y.epoch = c.Uint()
	y.attached, y.node, y.ending = c.Bool(), c.String(), c.Bool()
	graceAt, idleAt := readDeadline(c), readDeadline(c)
	y.judged, y.answered, y.lastOrdered = c.Uint(), c.Uint(), c.Uint()
	for range c.ArrayLen(WindowOperations) {
		k := readKept(c)
		y.keptItems += int(k.items)
		y.kept = append(y.kept, k)
	}
	if last, _, ok := s.sessions.Max(); ok && last >= y.serial {
		return fmt.Errorf("session %d after %d", y.serial, last)
	}
	s.sessions.Set(y.serial, y)
	if !y.ending {
		s.byID[y.id] = y.serial
	}
	s.timers.move(timerGrace, y.serial, &y.graceAt, graceAt)
	s.timers.move(timerIdle, y.serial, &y.idleAt, idleAt)
	return nil
}

func readKept(c *wire.Cursor) kept {
	k := kept{number: c.Uint(), index: c.Uint(), value: c.Uint(), position: c.Uint32(), retry: c.Uint32(),
		items: uint32(c.UintMax(MaxItems)), code: Code(c.Uint8()), cause: Cause(c.Uint8()), detail: c.String()}
	if n := c.ArrayLen(min(MaxItems, c.Left()/5)); n > 0 {
		k.verdicts = make([]Verdict, n)
		for i := range k.verdicts {
			k.verdicts[i] = Verdict{Code: Code(c.Uint8()), Cause: Cause(c.Uint8()), RetryAfterMillis: c.Uint32(),
				FirstIndex: c.Uint(), FirstPosition: c.Uint32()}
		}
	}
	return k
}

func (x *restorer) consumer(c *wire.Cursor) error {
	s := x.s
	y := &consumer{gen: s.gen, serial: c.Uint(), session: c.Uint(), queue: c.Uint(), number: c.Uint32(),
		creditMessages: c.Uint32(), creditBytes: c.Uint32(), concurrency: c.Uint32(), leaseMillis: c.Uint32(),
		noAck: c.Bool(), closing: c.Bool(), turn: c.Uint(), kept: c.Uint()}
	armedAt := readDeadline(c)
	y.assigned, y.taken = readCounter(c), readCounter(c)
	for range c.ArrayLen(MaxCreditMessages) {
		n := c.Uint32()
		y.sizes = append(y.sizes, n)
		y.heldBytes += uint64(n)
	}
	if last, _, ok := s.consumers.Max(); ok && last >= y.serial {
		return fmt.Errorf("consumer %d after %d", y.serial, last)
	}
	s.consumers.Set(y.serial, y)
	s.timers.move(timerLease, y.serial, &y.armedAt, armedAt)
	return nil
}
