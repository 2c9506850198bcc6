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

// commitGrows says whether a commit stores messages that weigh more than those
// that it acks. No commit that passes raises the weight of all that wait, so
// whoever goes on under an alarm has a bound; and messages that are handed on
// as they are, or smaller, are not held up, whatever their size. Of topics that
// holds but for the least weight of a message for each subscription: the record
// is stored once, goes with its last ack, and each ack before weighs that much.
//
// Only acks count: an extend and a nack leave the message where it is, and a
// reject moves it to a dead-letter queue. How much they free is looked up in the
// state, if there is an alarm and it matters; the caller, who may not hold l.mu,
// says by alarm. A commit whose leases are not there is none to refuse here:
// the machine does, or has its result already.
func (l *lane) commitGrows(c *fsm.Commit, alarm func() bool) bool {
	stored, freed := weightOf(c.Publishes), weightLeast*acksOf(c.Settles)
	if stored <= freed {
		return false
	}
	if freed == 0 || !alarm() {
		return true
	}
	leased := false
	l.group.View(func(s *fsm.State) { freed, leased = s.WeighAcks(c.Settles, weightLeast) })
	return leased && stored > freed
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

// grows says whether a forwarded command, with its length in front, needs
// room. Its bytes are looked at only where its kind does not say. Alarm is as
// of commitGrows.
func (l *lane) grows(kind fsm.Kind, command []byte, alarm func() bool) bool {
	switch kind {
	case fsm.KindPublish, fsm.KindRequest:
		return true
	case fsm.KindCommit:
	default:
		return false
	}
	entry := fsm.AppendEntryHeader(nil, fsm.VersionCurrent, fsm.Clock{}, 1)
	_, commands, err := fsm.DecodeEntry(append(entry, command...))
	if err != nil || len(commands) != 1 {
		return true
	}
	c, ok := commands[0].(*fsm.Commit)
	return !ok || l.commitGrows(c, alarm)
}

// growing says of each forwarded command whether it needs room, if there is an
// alarm; nil: there was none when it was looked. It is asked before l.mu is
// held: the state may be busy with an entry.
func (l *lane) growing(s *transport.PeerSubmit) (all []bool) {
	if !l.underAlarm() {
		return nil
	}
	c := wire.NewCursor(s.Commands)
	for range s.Count {
		from := c.Offset()
		content := c.Bytes()
		if c.Err() != nil || len(content) == 0 {
			break
		}
		all = append(all, l.grows(fsm.Kind(content[0]), s.Commands[from:c.Offset()], always))
	}
	return all
}

// Whether there is an alarm, for who knows it, or may not wait for the state.
func always() bool { return true }
func never() bool  { return false }
