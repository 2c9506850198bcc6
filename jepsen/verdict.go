package jepsen

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid is what the error of an account that is not valid is.
var ErrInvalid = errors.New("the history is not valid")

// forbidden is one kind of thing that must not happen.
type forbidden struct {
	name string
	keys *[]Key
}

// faults lists every kind, so that none can be counted and not judged.
func (a *Account) faults() []forbidden {
	return []forbidden{
		{"lost", &a.Lost},
		{"unsettled", &a.Unsettled},
		{"unexpected", &a.Unexpected},
		{"ghosts", &a.Ghosts},
		{"duplicated", &a.Duplicated},
		{"delivered after ack", &a.AfterAck},
		{"acked twice", &a.TwiceAcked},
		{"token did not rise", &a.Tokens},
		{"other identity", &a.Identity},
	}
}

func (a *Account) measure(floors Floors) {
	for _, f := range []struct {
		name       string
		saw, floor int
	}{
		{"confirmed", a.Confirmed, floors.Confirmed},
		{"delivered", a.Delivered, floors.Delivered},
		{"acked", a.Acked, floors.Acked},
		{"redelivered", a.Redelivered, floors.Redelivered},
	} {
		if f.saw < f.floor {
			a.Missed = append(a.Missed, fmt.Sprintf("%s %d is below the floor of %d", f.name, f.saw, f.floor))
		}
	}
}

// Err is nil when nothing forbidden was seen and enough was checked.
func (a *Account) Err() error {
	var wrong []string
	for _, f := range a.faults() {
		if len(*f.keys) > 0 {
			wrong = append(wrong, fmt.Sprintf("%d %s (%s)", len(*f.keys), f.name, sample(*f.keys)))
		}
	}
	if a.Unanswered > 0 {
		wrong = append(wrong, fmt.Sprintf("%d publishes never answered", a.Unanswered))
	}
	wrong = append(wrong, a.Missed...)
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrInvalid, strings.Join(wrong, "; "))
}

// sampleMax is how many keys an error names of each kind.
const sampleMax = 5

func sample(keys []Key) string {
	var names []string
	for _, k := range keys[:min(len(keys), sampleMax)] {
		names = append(names, k.String())
	}
	if len(keys) > sampleMax {
		names = append(names, "…")
	}
	return strings.Join(names, " ")
}

// String is one line with every count.
func (a *Account) String() string {
	return fmt.Sprintf("published=%d confirmed=%d failed=%d unknown=%d delivered=%d consumed=%d redelivered=%d "+
		"acked=%d ack_unknown=%d recovered=%d lost=%d duplicated=%d",
		a.Published, a.Confirmed, a.Failed, a.Unknown, a.Delivered, a.Consumed, a.Redelivered,
		a.Acked, a.AckUnknown, a.Recovered, len(a.Lost), len(a.Duplicated))
}
