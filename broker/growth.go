package broker

import (
	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// weightLeast is what a message weighs at least, in bytes; a larger one weighs
// its record. What a worker hands on for a small message may so be a little
// larger: else the acks of most pipelines would wait for the end of an alarm
// that ends only with them. It is of the order of what a message takes beside
// its record: a backlog of the smallest ones may come to some times its size,
// and one of larger ones does not grow.
const weightLeast = 256

// mayGrow says whether a commit may store messages that weigh more than those
// that it acks: by their number, if they are small, without a look at the state.
//
// Only acks count: an extend and a nack leave the message where it is, and a
// reject moves it to a dead-letter queue.
func mayGrow(c *fsm.Commit) bool { return weightOf(c.Publishes) > weightLeast*acksOf(c.Settles) }

// grow says which of some commits that may grow do. No commit that does not
// raises the weight of all that wait, so whoever goes on under an alarm has a
// bound; and messages that are handed on as they are, or smaller, are not held up,
// whatever their size. Of topics that holds but for the least weight of a message
// for each subscription: the record is stored once, goes with its last ack, and
// each ack before weighs that much. A commit whose leases are not there is none to
// refuse here: the machine does, or has its result already.
//
// It looks into the state, once for all, so the caller may not hold l.mu.
func (l *lane) grow(commits ...*fsm.Commit) []bool {
	all := make([]bool, len(commits))
	l.group.View(func(s *fsm.State) {
		for i, c := range commits {
			freed, leased := s.WeighAcks(c.Settles, weightLeast)
			all[i] = leased && weightOf(c.Publishes) > freed
		}
	})
	return all
}

// weightOf the messages of a commit. A topic's count once.
func weightOf(publishes []fsm.CommitPublish) (sum uint64) {
	for i := range publishes {
		p := &publishes[i]
		err := transport.EachRecord(p.Records, p.Count, func(r []byte) error {
			sum += max(weightLeast, uint64(len(r)))
			return nil
		})
		if err != nil { // seen where it came in; the machine refuses it
			sum += uint64(len(p.Records))
		}
	}
	return sum
}

func acksOf(settles []fsm.SettleItem) (acks uint64) {
	for i := range settles {
		if settles[i].Action == fsm.ActionAck {
			acks++
		}
	}
	return acks
}

// grows says whether a forwarded command, with its length in front, may need
// room, and gives it back if it is a commit. Its bytes are looked at only where
// its kind does not say.
func grows(kind fsm.Kind, command []byte) (*fsm.Commit, bool) {
	switch kind {
	case fsm.KindPublish, fsm.KindRequest:
		return nil, true
	case fsm.KindCommit:
	default:
		return nil, false
	}
	entry := fsm.AppendEntryHeader(nil, fsm.VersionCurrent, fsm.Clock{}, 1)
	_, commands, err := fsm.DecodeEntry(append(entry, command...))
	if err != nil || len(commands) != 1 {
		return nil, true
	}
	c, ok := commands[0].(*fsm.Commit)
	return c, !ok || mayGrow(c)
}

// growing says of each forwarded command whether it needs room, if there is an
// alarm; nil: there was none when it was looked. It is asked before l.mu is
// held: the state may be busy with an entry.
func (l *lane) growing(s *transport.PeerSubmit) (all []bool) {
	if !l.underAlarm() {
		return nil
	}
	var commits []*fsm.Commit
	var at []int
	c := wire.NewCursor(s.Commands)
	for i := range int(s.Count) {
		from := c.Offset()
		content := c.Bytes()
		if c.Err() != nil || len(content) == 0 {
			break
		}
		commit, may := grows(fsm.Kind(content[0]), s.Commands[from:c.Offset()])
		all = append(all, may)
		if may && commit != nil {
			commits, at = append(commits, commit), append(at, i)
		}
	}
	if len(commits) > 0 {
		for i, does := range l.grow(commits...) {
			all[at[i]] = does
		}
	}
	return all
}
