package fsm

import (
	"crypto/sha256"
	"encoding/binary"
)

// digestOf chains what an entry did to the digest before it: SHA-256 over the
// previous digest, the index, the results and the effects. Bodies are named
// by their ids, which the entries fix.
//
// SHA-256 costs about 60 ns for a delivery where the processor has
// instructions for it and is in the standard library; the fast 64-bit hashes
// would need a second, differently seeded pass to rule out accidents.
func (s *State) digestOf(a *Applied) [32]byte {
	b := append(s.work.digest[:0], s.digest[:]...)
	b = binary.BigEndian.AppendUint64(b, a.Index)
	b = binary.BigEndian.AppendUint32(b, uint32(len(a.Results)))
	for i := range a.Results {
		b = a.Results[i].appendDigest(b)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(a.Effects)))
	for i := range a.Effects {
		b = a.Effects[i].appendDigest(b)
	}
	s.work.digest = b
	return sha256.Sum256(b)
}

func (r *Result) appendDigest(b []byte) []byte {
	b = append(b, byte(r.Code), byte(r.Cause))
	b = binary.AppendUvarint(b, uint64(r.RetryAfterMillis))
	b = binary.AppendUvarint(b, r.Index)
	b = binary.AppendUvarint(b, uint64(r.Position))
	b = binary.AppendUvarint(b, r.Value)
	b = appendText(b, r.Detail)
	b = binary.AppendUvarint(b, uint64(len(r.Items)))
	for _, v := range r.Items {
		b = append(b, byte(v.Code), byte(v.Cause))
		b = binary.AppendUvarint(b, uint64(v.RetryAfterMillis))
		b = binary.AppendUvarint(b, v.FirstIndex)
		b = binary.AppendUvarint(b, uint64(v.FirstPosition))
	}
	return b
}

func (e *Effect) appendDigest(b []byte) []byte {
	b = append(b, byte(e.Kind), byte(e.Code))
	b = append(b, e.Session[:]...)
	b = appendText(b, e.Node)
	for _, v := range [...]uint64{e.Epoch, uint64(e.Consumer), e.Incarnation, e.Place, e.Token, e.Number,
		uint64(e.ID.Group), e.ID.Index, uint64(e.ID.Position), uint64(e.Attempt), uint64(e.Failures),
		uint64(e.LeaseMillis), uint64(e.EnqueuedMillis)} {
		b = binary.AppendUvarint(b, v)
	}
	b = append(b, bit(e.Request))
	if e.Death == nil {
		return append(b, 0)
	}
	return e.Death.appendDigest(append(b, 1))
}

func bit(v bool) byte {
	if v {
		return 1
	}
	return 0
}

func (d *Death) appendDigest(b []byte) []byte {
	b = appendText(b, d.Queue)
	b = appendText(b, d.Reason)
	b = binary.AppendUvarint(b, uint64(d.Attempts))
	b = binary.AppendUvarint(b, uint64(d.Failures))
	b = appendText(b, d.Error)
	b = binary.AppendUvarint(b, uint64(d.AtMillis))
	b = binary.AppendUvarint(b, uint64(d.Forgotten))
	b = binary.AppendUvarint(b, uint64(len(d.History)))
	for i := range d.History {
		a := &d.History[i]
		b = binary.AppendUvarint(b, uint64(a.AtMillis))
		b = append(b, a.Session[:]...)
		b = binary.AppendUvarint(b, uint64(a.Consumer))
		b = binary.AppendUvarint(b, a.Token)
		b = appendText(b, a.Error)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
