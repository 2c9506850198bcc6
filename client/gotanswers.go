package client

import (
	"slices"

	"github.com/ferrymq/ferrymq/transport"
)

// gotMax bounds the answers that the group is to be told of. What is beyond
// it the group keeps until the deadlines.
const gotMax = 4 * transport.TakenMax

// gotAnswer notes that the group need not keep the answers to requests.
func (s *session) gotAnswer(numbers ...uint64) {
	for _, n := range numbers {
		if !slices.Contains(s.gotAnswers, n) {
			s.gotAnswers = append(s.gotAnswers, n)
		}
	}
	s.gotAnswers = s.gotAnswers[max(0, len(s.gotAnswers)-gotMax):]
}

// tellAnswers hands over those of which the next request tells the group.
func (s *session) tellAnswers() []uint64 {
	n := min(len(s.gotAnswers), transport.TakenMax)
	now := slices.Clone(s.gotAnswers[:n])
	s.gotAnswers = slices.Delete(s.gotAnswers, 0, n)
	return now
}
