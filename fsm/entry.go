package fsm

import (
	"encoding/binary"
	"fmt"

	"github.com/ferrymq/ferrymq/transport/wire"
)

// An entry of the log, big endian:
//
//	0       1               3            11            19           23
//	| format| machine version| wall clock | lease clock | commands   | commands, each one
//	| u8 = 1| u16            | i64 ms     | i64 ms      | count u32  | msgpack binary
const (
	entryFormat     = 1
	EntryHeaderSize = 23

	// clockMax keeps sums of clocks and lengths of time far from overflow.
	clockMax = 1 << 46
)

// AppendEntryHeader begins an entry; count encoded commands follow it.
func AppendEntryHeader(dst []byte, v Version, at Clock, count int) []byte {
	dst = append(dst, entryFormat)
	dst = binary.BigEndian.AppendUint16(dst, uint16(v))
	dst = binary.BigEndian.AppendUint64(dst, uint64(at.WallMillis))
	dst = binary.BigEndian.AppendUint64(dst, uint64(at.LeaseMillis))
	return binary.BigEndian.AppendUint32(dst, uint32(count))
}

// Command is one decoded command: a pointer to one of the structs in command.go.
type Command interface {
	Kind() Kind
	read(*wire.Cursor)
}

func (*Leader) Kind() Kind       { return KindLeader }
func (*DetachNode) Kind() Kind   { return KindDetachNode }
func (*Open) Kind() Kind         { return KindOpen }
func (*Attach) Kind() Kind       { return KindAttach }
func (*Detach) Kind() Kind       { return KindDetach }
func (*End) Kind() Kind          { return KindEnd }
func (*Publish) Kind() Kind      { return KindPublish }
func (*Settle) Kind() Kind       { return KindSettle }
func (*Consume) Kind() Kind      { return KindConsume }
func (*Cancel) Kind() Kind       { return KindCancel }
func (*Credit) Kind() Kind       { return KindCredit }
func (*QueueCreate) Kind() Kind  { return KindQueueCreate }
func (*QueueUpdate) Kind() Kind  { return KindQueueUpdate }
func (*QueueDelete) Kind() Kind  { return KindQueueDelete }
func (*QueuePurge) Kind() Kind   { return KindQueuePurge }
func (*QueuePause) Kind() Kind   { return KindQueuePause }
func (*SetVersion) Kind() Kind   { return KindVersion }
func (*Checkpoint) Kind() Kind   { return KindCheckpoint }
func (*Commit) Kind() Kind       { return KindCommit }
func (*Amend) Kind() Kind        { return KindAmend }
func (*Breaker) Kind() Kind      { return KindBreaker }
func (*GroupResume) Kind() Kind  { return KindGroupResume }
func (*TenantWeight) Kind() Kind { return KindTenantWeight }
func (*TopicCreate) Kind() Kind  { return KindTopicCreate }
func (*TopicDelete) Kind() Kind  { return KindTopicDelete }
func (*Subscribe) Kind() Kind    { return KindSubscribe }
func (*Request) Kind() Kind      { return KindRequest }
func (*Reply) Kind() Kind        { return KindReply }
func (*Await) Kind() Kind        { return KindAwait }

// newCommand returns an empty command, nil for an unknown kind.
func newCommand(k Kind) Command {
	switch k {
	case KindLeader:
		return new(Leader)
	case KindDetachNode:
		return new(DetachNode)
	case KindOpen:
		return new(Open)
	case KindAttach:
		return new(Attach)
	case KindDetach:
		return new(Detach)
	case KindEnd:
		return new(End)
	case KindPublish:
		return new(Publish)
	case KindSettle:
		return new(Settle)
	case KindConsume:
		return new(Consume)
	case KindCancel:
		return new(Cancel)
	case KindCredit:
		return new(Credit)
	case KindQueueCreate:
		return new(QueueCreate)
	case KindQueueUpdate:
		return new(QueueUpdate)
	case KindQueueDelete:
		return new(QueueDelete)
	case KindQueuePurge:
		return new(QueuePurge)
	case KindQueuePause:
		return new(QueuePause)
	case KindVersion:
		return new(SetVersion)
	case KindCheckpoint:
		return new(Checkpoint)
	case KindCommit:
		return new(Commit)
	case KindAmend:
		return new(Amend)
	case KindBreaker:
		return new(Breaker)
	case KindGroupResume:
		return new(GroupResume)
	case KindTenantWeight:
		return new(TenantWeight)
	case KindTopicCreate:
		return new(TopicCreate)
	case KindTopicDelete:
		return new(TopicDelete)
	case KindSubscribe:
		return new(Subscribe)
	case KindRequest:
		return new(Request)
	case KindReply:
		return new(Reply)
	case KindAwait:
		return new(Await)
	}
	return nil
}

// decodeInto reads the content of a command's binary, its kind byte included.
func decodeInto(x Command, content []byte) error {
	c := wire.NewCursor(content[1:])
	x.read(&c)
	rest := recordsOf(x)
	if rest == nil {
		return c.Done()
	}
	if c.Err() == nil {
		*rest = content[1+c.Offset():]
	}
	return c.Err()
}

// recordsOf is where a command keeps records that are the rest of its binary,
// nil for one that has none.
func recordsOf(x Command) *[]byte {
	switch c := x.(type) {
	case *Publish:
		return &c.Records
	case *Request:
		return &c.Records
	case *Reply:
		return &c.Records
	}
	return nil
}

// EntryHeader is what an entry begins with.
type EntryHeader struct {
	Version Version
	Clock   Clock
	Count   uint32
}

func decodeEntryHeader(b []byte) (h EntryHeader, err error) {
	if len(b) < EntryHeaderSize {
		return h, fmt.Errorf("%w: %d bytes", ErrEntry, len(b))
	}
	if b[0] != entryFormat {
		return h, fmt.Errorf("%w: format %d", ErrVersion, b[0])
	}
	h.Version = Version(binary.BigEndian.Uint16(b[1:]))
	h.Clock.WallMillis = int64(binary.BigEndian.Uint64(b[3:]))
	h.Clock.LeaseMillis = int64(binary.BigEndian.Uint64(b[11:]))
	h.Count = binary.BigEndian.Uint32(b[19:])
	if h.Version > VersionCurrent {
		return h, fmt.Errorf("%w: %d, known up to %d", ErrVersion, h.Version, VersionCurrent)
	}
	if h.Version == 0 {
		return h, fmt.Errorf("%w: machine version 0", ErrEntry)
	}
	if !clockGood(h.Clock.WallMillis) || !clockGood(h.Clock.LeaseMillis) {
		return h, fmt.Errorf("%w: clocks %d, %d", ErrEntry, h.Clock.WallMillis, h.Clock.LeaseMillis)
	}
	return h, nil
}

func clockGood(millis int64) bool { return millis >= 0 && millis <= clockMax }

// eachCommand calls f with the offset and the content of every command.
func eachCommand(entry []byte, count uint32, f func(offset int, content []byte) error) error {
	c := wire.NewCursor(entry[EntryHeaderSize:])
	for i := range count {
		at := c.Offset()
		content := c.Bytes()
		if c.Err() != nil || len(content) == 0 {
			return fmt.Errorf("%w: command %d at %d: %w", ErrEntry, i, EntryHeaderSize+at, errOr(c.Err(), errKind))
		}
		// The content ends where the cursor stands, so this is where it began.
		from := EntryHeaderSize + c.Offset() - len(content)
		if err := f(from, content); err != nil {
			return fmt.Errorf("%w: command %d at %d: %w", ErrEntry, i, from, err)
		}
	}
	if err := c.Done(); err != nil {
		return fmt.Errorf("%w: %w", ErrEntry, err)
	}
	return nil
}

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// DecodeEntry reads a whole entry, for tools and tests. The records of a
// publish alias it.
func DecodeEntry(entry []byte) (EntryHeader, []Command, error) {
	h, err := decodeEntryHeader(entry)
	if err != nil {
		return h, nil, err
	}
	var all []Command
	err = eachCommand(entry, h.Count, func(_ int, content []byte) error {
		x := newCommand(Kind(content[0]))
		if x == nil {
			return errKind
		}
		if err := decodeInto(x, content); err != nil {
			return err
		}
		all = append(all, x)
		return nil
	})
	return h, all, err
}
