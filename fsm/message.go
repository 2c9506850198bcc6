package fsm

// message is a message with state of its own: leased once, returned, parked
// or dead-lettered.
type message struct {
	index     uint64 // its id is (group, index, position)
	wall      int64  // when it entered the log
	position  uint32
	size      uint32 // logical
	attempts  uint32 // leases given
	failures  uint32 // blamed on the message
	lastToken uint64 // of its last lease, and why that ended
	at        int64  // waiting: when it becomes ready, by the wall clock if scheduled, else by the lease clock
	expires   int64  // wall clock; 0: never
	line      uint32 // of its queue; 0: the plain one
	lastEnd   Cause
	flags     flags
	more      *more // nil for most
}

// flags of a message.
type flags uint8

const (
	flagScheduled flags = 1 << iota // waits for the wall clock: delayed, or rescheduled
	flagAlone                       // blamed for a crash: from now on leased only as a consumer's single message
	flagRequest                     // somebody waits for an answer
	flagReserved                    // waits for a consumer to be free for it alone
	flagsEnd
)

// more is what few messages have. It is never changed: a change makes a new one.
type more struct {
	history   []Attempt // the last attempts that ended without success, oldest first
	forgotten uint32    // attempts before those
	death     *Death    // in a dead-letter queue, and parked on the way there
}

func (m *message) death() *Death {
	if m.more == nil {
		return nil
	}
	return m.more.death
}

func (p packed) message() message {
	return message{index: p.index, wall: p.wall, position: p.position, size: p.size}
}

// lease is a message that a consumer holds.
type lease struct {
	message
	token    uint64
	consumer uint64 // serial
	deadline int64  // lease clock
	millis   uint32 // its length
	extended bool
}
