package client

import (
	"fmt"

	"github.com/ferrymq/ferrymq/transport"
)

// Names of queues and topics.

// CheckName refuses what is the name of no queue or topic: the error Is
// ErrInvalid. Whether there is one of the name only a node can tell.
func CheckName(name string) error { return checkQueue("name", name) }

// checkQueue refuses a name that no queue has.
func checkQueue(op, name string) error {
	if fault := nameFault(name); fault != "" {
		return localError(transport.CodeInvalid, op, name, fault, nil)
	}
	return nil
}

// checkOther refuses the name of another queue than the one that an operation
// is on; what says which.
func checkOther(op, queue, what, name string) error {
	if fault := nameFault(name); fault != "" {
		return localError(transport.CodeInvalid, op, queue, fmt.Sprintf("%s %q: %s", what, name, fault), nil)
	}
	return nil
}

// aboutOther names the other queue in an error that is about it.
func aboutOther(err error, op, queue, what, name string) error {
	e := asError(about(err, op, queue)) // a copy
	detail := fmt.Sprintf("%s %q", what, name)
	if e.Detail != "" {
		detail += ": " + e.Detail
	}
	e.Detail = detail
	return e
}

func nameFault(name string) string {
	if name == "" || len(name) > transport.QueueNameMax {
		return fmt.Sprintf("a name has 1 to %d characters", MaxNameBytes)
	}
	for i := range len(name) {
		b := name[i]
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
		case b == '.' || b == '-' || b == '_' || b == '$' && i == 0:
		default:
			return "a name is made of A-Z a-z 0-9 _ . -"
		}
	}
	return ""
}
