package check

import (
	"cmp"
	"slices"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// positions says where in its producer's confirmed messages each lost one
// stood: a lost postfix is another bug than a lost middle.
func (j *accountant) positions(lost []*message) map[*message]string {
	where := make(map[*message]string, len(lost))
	if len(lost) == 0 {
		return where
	}
	for _, m := range lost {
		where[m] = "middle"
	}
	producers := map[uint32][]*message{}
	for _, m := range j.messages {
		if m.publish != nil && m.publish.Outcome == history.OK {
			producers[m.key.Producer] = append(producers[m.key.Producer], m)
		}
	}
	for _, list := range producers {
		slices.SortFunc(list, func(a, b *message) int { return cmp.Compare(a.key.Seq, b.key.Seq) })
		for i := 0; i < len(list) && where[list[i]] != ""; i++ {
			where[list[i]] = "prefix"
		}
		for i := len(list) - 1; i >= 0 && where[list[i]] == "middle"; i-- {
			where[list[i]] = "postfix"
		}
	}
	return where
}
