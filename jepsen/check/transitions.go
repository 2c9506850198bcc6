package check

import "github.com/ferrymq/ferrymq/jepsen/history"

// The follower's half of settles: which may be accepted, and which refused.

// accepted judges a settle that was answered ok. It had the newest lease that
// existed when it was called, and nothing had ended that.
func (f *follower) accepted(m *message, x *life, s *history.Op) {
	if s.Token == 0 {
		return // without acks: nothing was asked of the broker
	}
	f.settles++
	if x.of(s.Token) == nil {
		f.v.Add(KindToken, s.Call, "never delivered: %s", s)
	}
	for _, d := range x.deliveries {
		if d.Token > s.Token && f.leases.grants.latest(d) < s.Call {
			f.v.Add(KindStaleSettle, s.Call, "token %d was given to consumer %d before %.3fs: %s",
				d.Token, d.Consumer, float64(f.leases.grants.latest(d))/1e9, s)
			break
		}
	}
	if p := m.publish; p != nil && p.Outcome == history.OK && notAfter(p.At, s.At) {
		f.v.Add(KindWitnessOrder, s.Call, "published at %s: %s", p.At, s)
	}
	for _, other := range x.settles {
		if other != s && other.Outcome == history.OK && other.Token != 0 {
			f.sequence(other, s)
		}
	}
}

// sequence judges s after another settle of its message.
func (f *follower) sequence(other, s *history.Op) {
	same := other.Token == s.Token
	ended := ends(other) || other.Kind == history.Nack && same
	both := ended && same && s.Kind != history.Extend && other.Call <= s.Call
	if both || ended && (other.Return < s.Call || notAfter(s.At, other.At)) {
		f.v.Add(KindAfterEnd, s.Call, "%s at %.3fs had ended it: %s", other.Kind, float64(other.Return)/1e9, s)
	}
	if other.Token < s.Token && notAfter(other.At, s.At) {
		f.v.Add(KindWitnessOrder, s.Call, "token %d was settled at %s: %s", other.Token, other.At, s)
	}
}

// notAfter tells that b does not come after a in the log of their group.
func notAfter(a, b history.Witness) bool {
	return a.Index != 0 && b.Index != 0 && a.Group == b.Group && !a.Before(b)
}

// refused judges a settle that was told lease_lost.
func (f *follower) refused(x *life, s *history.Op) {
	f.refusals++
	if s.Token == 0 || f.explained(x, s) {
		return
	}
	f.v.Add(KindRefused, s.Call, "%q, and nothing had ended the lease: %s", s.Cause, s)
}

func (f *follower) explained(x *life, s *history.Op) bool {
	for _, d := range x.deliveries {
		if d.Token > s.Token && f.leases.grants.earliest(d) <= s.Return {
			return true
		}
	}
	for _, other := range x.settles {
		if other != s && other.Token == s.Token && other.Kind != history.Extend && maybe(other) && other.Call <= s.Return {
			return true
		}
	}
	d := x.of(s.Token)
	return d != nil && f.leases.mayHaveEnded(x, d, s.Return)
}

// of is the delivery of a token.
func (x *life) of(token uint64) *history.Op {
	for _, d := range x.deliveries {
		if d.Token == token {
			return d
		}
	}
	return nil
}
