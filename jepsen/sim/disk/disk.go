package disk

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// Faults is what the disk does wrong now. Zero is a good disk.
type Faults struct {
	Write error         // of the next write, and of each until it is lifted
	Sync  error         // of the next fsync; what was written may be there or not
	Slow  time.Duration // that every fsync takes besides its usual time
}

// Counts is what the faults did.
type Counts struct {
	Syncs  int64
	Failed int64 // writes and fsyncs that were refused
	Slowed int64
	Lost   int64 // writes under way that a crash undid
	Torn   int64 // writes under way of which a crash left a part
	Kept   int64 // writes under way that a crash left whole, unconfirmed
	Rotten int64 // bits flipped
}

// Bad is how often something went wrong.
func (c Counts) Bad() int64 { return c.Failed + c.Slowed + c.Lost + c.Torn + c.Rotten }

// Disk is what survives of a machine's processes. Its methods may be called
// from anywhere.
type Disk struct {
	sync time.Duration // what an fsync takes

	mu      sync.Mutex // guards what follows; never held while sleeping
	rand    *rand.Rand
	image   *image
	session *Session // nil: no process has the disk
	faults  Faults
	counts  Counts
	eased   chan struct{} // closed, and made anew, when the faults change
	onCut   func([]raft.Log)
}

// New makes an empty disk whose fsyncs take about as long as given.
func New(seed uint64, sync time.Duration) *Disk {
	return &Disk{sync: sync, rand: rand.New(rand.NewPCG(seed, 0x6469736b)), image: newImage(), eased: make(chan struct{})}
}

// OnCut has f told of good entries that are about to be cut off the front of the
// log, which a snapshot covers. It is called with the disk's lock held. It may
// be set while no process has the disk.
func (d *Disk) OnCut(f func([]raft.Log)) { d.onCut = f }

// Entries is the log as it is, without what has rotted.
func (d *Disk) Entries() []raft.Log {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.image
	if d.session != nil {
		m = d.session.image
	}
	return logsOf(m.log)
}

func logsOf(entries []entry) []raft.Log {
	logs := make([]raft.Log, 0, len(entries))
	for _, e := range entries {
		if !e.rotten {
			logs = append(logs, e.Log)
		}
	}
	return logs
}

// image is what is on a disk, as a process would read it.
type image struct {
	mark   []byte // nil: no such file
	stable map[string][]byte
	log    []entry // without a gap
	snaps  []snapshot
}

func newImage() *image { return &image{stable: map[string][]byte{}} }

// clone copies an image. Entries, bodies and values are never changed in place.
func (m *image) clone() *image {
	return &image{
		mark: slices.Clone(m.mark), stable: maps.Clone(m.stable),
		log: slices.Clone(m.log), snaps: slices.Clone(m.snaps),
	}
}

// Open gives the disk to a process. The one before must have crashed or closed it.
func (d *Disk) Open() *Session {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := &Session{disk: d, image: d.image, gone: make(chan struct{})}
	d.session = s
	return s
}

// Crash takes the disk from its process. What is under way is decided now,
// without power by the dice; the process goes on with a copy that nobody will
// ever see, because goroutines cannot be killed.
func (d *Disk) Crash(power bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.session
	if s == nil {
		return
	}
	d.session = nil
	d.image = s.image.clone()
	for _, w := range s.underway {
		d.decide(w, power)
	}
	s.dead = true
	close(s.gone)
}

// decide lets a write that is under way happen, or not, or in part.
func (d *Disk) decide(w *write, power bool) {
	fate := d.rand.IntN(3)
	switch {
	case fate == 0:
		d.counts.Lost++
	case fate == 1 && power && w.torn != nil:
		d.counts.Torn++
		w.torn(d.image, d.rand)
	default:
		d.counts.Kept++
		w.apply(d.image)
	}
}

// Wipe moves what is on the disk aside, as a rebuild does.
func (d *Disk) Wipe() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.image = newImage()
	if d.session != nil {
		d.session.image = d.image
	}
}

// SetFaults changes what the disk does wrong from now on. What hangs or is
// slow ends, well or not as the disk then is.
func (d *Disk) SetFaults(f Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = f
	close(d.eased)
	d.eased = make(chan struct{})
}

// Counts is what went wrong so far.
func (d *Disk) Counts() Counts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts
}
