package wire

import "sync/atomic"

// Link is one direction between two hosts.
type Link struct{ From, To string }

func (l Link) String() string { return l.From + ">" + l.To }

// Counters of a link, in packets but for Bytes. A packet is in one of
// Delivered, Blocked, Lost, Overflowed and Refused in the end (its copy in
// another), and in any of the rest.
type Counters struct {
	Delivered int64 // written to the receiver's device
	Bytes     int64 // of those

	Blocked    int64
	Lost       int64
	Overflowed int64 // more was waiting than a link may hold
	Refused    int64 // by the receiver's device

	Reset      int64 // answered so, of those blocked
	Delayed    int64 // later than without Delay and Jitter
	Limited    int64 // waited for Rate
	Duplicated int64
	Corrupted  int64
	Mangled    int64
	Reordered  int64 // held back
}

// Hurt is how many times a rule did something to a packet.
func (c Counters) Hurt() int64 {
	return c.Blocked + c.Lost + c.Overflowed + c.Delayed + c.Limited +
		c.Duplicated + c.Corrupted + c.Mangled + c.Reordered
}

// Sub is what was counted since an earlier moment.
func (c Counters) Sub(earlier Counters) Counters {
	return Counters{
		Delivered: c.Delivered - earlier.Delivered, Bytes: c.Bytes - earlier.Bytes,
		Blocked: c.Blocked - earlier.Blocked, Lost: c.Lost - earlier.Lost,
		Overflowed: c.Overflowed - earlier.Overflowed, Refused: c.Refused - earlier.Refused,
		Reset: c.Reset - earlier.Reset, Delayed: c.Delayed - earlier.Delayed, Limited: c.Limited - earlier.Limited,
		Duplicated: c.Duplicated - earlier.Duplicated, Corrupted: c.Corrupted - earlier.Corrupted,
		Mangled: c.Mangled - earlier.Mangled, Reordered: c.Reordered - earlier.Reordered,
	}
}

// counters are Counters that the switch adds to and others read.
type counters struct {
	delivered, bytes                          atomic.Int64
	blocked, lost, overflowed, refused        atomic.Int64
	reset, delayed, limited                   atomic.Int64
	duplicated, corrupted, mangled, reordered atomic.Int64
}

func (c *counters) read() Counters {
	return Counters{
		Delivered: c.delivered.Load(), Bytes: c.bytes.Load(),
		Blocked: c.blocked.Load(), Lost: c.lost.Load(),
		Overflowed: c.overflowed.Load(), Refused: c.refused.Load(),
		Reset: c.reset.Load(), Delayed: c.delayed.Load(), Limited: c.limited.Load(),
		Duplicated: c.duplicated.Load(), Corrupted: c.corrupted.Load(),
		Mangled: c.mangled.Load(), Reordered: c.reordered.Load(),
	}
}
