package fsm

// WeighAcks is what acks let go, in bytes: of each message its record, least at
// least, and no more than that of one whose record another subscription keeps.
// Other settles let nothing go. It is false if a lease is not there: then all of
// them are refused, or have been carried out.
func (s *State) WeighAcks(items []SettleItem, least uint64) (sum uint64, leased bool) {
	for i := range items {
		it := &items[i]
		q, ok := s.queues.Get(it.Incarnation)
		if !ok {
			return 0, false
		}
		l, ok := q.leased.Get(it.Place)
		if !ok || l.token != it.Token {
			return 0, false
		}
		if it.Action == ActionAck {
			sum += max(least, s.bodies.Frees(l.index, l.position))
		}
	}
	return sum, true
}
