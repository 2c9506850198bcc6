package fsm

import "io"

// State of a group.
type State struct {
	group   uint32
	version Version
	index   uint64
	clock   Clock
	digest  [32]byte
}

func New(group uint32) *State { return &State{group: group, version: VersionCurrent} }

func (s *State) Apply(index uint64, entry []byte) (Applied, error) {
	_, _, err := DecodeEntry(entry)
	s.index = index
	return Applied{Index: index}, err
}

func (s *State) Group() uint32                                       { return s.group }
func (s *State) Index() uint64                                       { return s.index }
func (s *State) Version() Version                                    { return s.version }
func (s *State) Clock() Clock                                        { return s.clock }
func (s *State) Digest() [32]byte                                    { return s.digest }
func (s *State) Hash() ([32]byte, error)                             { return s.digest, nil }
func (s *State) NextDeadline() (leaseMillis int64, ok bool)          { return 0, false }
func (s *State) NeedsClock() bool                                    { return false }
func (s *State) Queue(name string) (QueueInfo, bool)                 { return QueueInfo{}, false }
func (s *State) Sessions() SessionCounts                             { return SessionCounts{} }
func (s *State) Session(id SessionID) (SessionInfo, bool)            { return SessionInfo{}, false }
func (s *State) Bytes() uint64                                       { return 0 }
func (s *State) Check() error                                        { return nil }
func (s *State) Messages(queue string, visit func(MessageInfo) bool) {}
func (s *State) Queues(prefix, after string, limit int) (page []QueueInfo, more bool) {
	return nil, false
}

type Snapshot struct{ s *State }

func (s *State) Snapshot() *Snapshot                   { return &Snapshot{s} }
func (p *Snapshot) WriteTo(w io.Writer) (int64, error) { return 0, nil }
func (p *Snapshot) Hash() ([32]byte, error)            { return p.s.digest, nil }
func (p *Snapshot) Index() uint64                      { return p.s.index }
func (p *Snapshot) Release()                           {}
func Restore(r io.Reader) (*State, error)              { return New(0), nil }
