package modeltest

import (
	"strings"

	"github.com/ferrymq/ferrymq/fsm"
)

// Draft is one message as it is published, with what the model needs to know
// of its record, which it does not decode.
type Draft struct {
	Record []byte
	Size   uint64   // of headers and body
	Fault  fsm.Code // what is wrong with the record; OK: nothing

	// Attributes.
	Content   []byte // headers and body
	DedupID   string
	Priority  *uint8
	Group     string
	Tenant    string
	Subject   string
	TTL       uint64
	Delay     uint64
	DeliverAt uint64
	Deadline  uint64
}

// fault of a message by itself, on its way to a queue or topic.
func (m *Model) fault(to target, d Draft) fsm.Code {
	switch {
	case d.Fault != fsm.OK:
		return d.Fault
	case !timesGood(d, m.clock.WallMillis), to.topic != nil && !goodSubject(d.Subject):
		return fsm.Invalid
	}
	return fsm.OK
}

// total size of the messages that are not refused for themselves.
func (m *Model) total(to target, drafts []Draft) (n uint64) {
	for _, d := range drafts {
		if m.fault(to, d) == fsm.OK {
			n += d.Size
		}
	}
	return n
}

const wordLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

func goodWord(word string) bool { return word != "" && strings.Trim(word, wordLetters) == "" }

// goodSubject: words with dots between them, or nothing.
func goodSubject(subject string) bool {
	if subject == "" {
		return true
	}
	words := strings.Split(subject, ".")
	for _, w := range words {
		if !goodWord(w) {
			return false
		}
	}
	return len(subject) <= fsm.MaxKeyBytes && len(words) <= wordsMax
}

const wordsMax = 32

// goodFilter: as a subject, with * for any word and > for all the rest.
func goodFilter(filter string) bool {
	words := strings.Split(filter, ".")
	for i, w := range words {
		if !goodWord(w) && w != "*" && (w != ">" || i < len(words)-1) {
			return false
		}
	}
	return len(filter) <= fsm.MaxFilterBytes && len(words) <= wordsMax
}

// matches tells whether a filter lets a subject through.
func matches(filter, subject string) bool {
	want, words := strings.Split(filter, "."), strings.Split(subject, ".")
	if subject == "" {
		words = nil
	}
	for i, w := range want {
		switch {
		case w == ">":
			return len(words) > i || subject == "" && i == 0
		case i >= len(words) || w != "*" && w != words[i]:
			return false
		}
	}
	return len(want) == len(words)
}
