package client

import (
	"fmt"
	"strings"

	"github.com/ferrymq/ferrymq/transport"
)

// Names of queues and topics, subjects and filters.

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

// checkReplyQueue refuses what no answer could be published to: it would be found
// out only when the work was done, and done again until the request is dead.
func checkReplyQueue(queue, name string) error {
	const what = "reply queue"
	if strings.HasSuffix(name, ".dlq") {
		return localError(transport.CodeInvalid, "request", queue,
			fmt.Sprintf("%s %q: only the system fills a dead-letter queue", what, name), nil)
	}
	return checkOther("request", queue, what, name)
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

// CheckSubject refuses what no topic takes as a subject, and CheckFilter what
// no subscription takes as a filter: the errors are ErrInvalid.
func CheckSubject(subject string) error { return checkWords("subject", subject, false) }

// CheckFilter: see CheckSubject.
func CheckFilter(filter string) error { return checkWords("filter", filter, true) }

const maxWords = 32 // of a subject or filter

func checkWords(op, text string, filter bool) error {
	if fault := wordsFault(text, filter); fault != "" {
		return localError(transport.CodeInvalid, op, text, fault, nil)
	}
	return nil
}

// wordsFault is what the machine says of the same words.
func wordsFault(text string, filter bool) string {
	words := strings.Split(text, ".")
	switch {
	case len(text) > MaxTextBytes:
		return fmt.Sprintf("%d bytes, at most %d are possible", len(text), MaxTextBytes)
	case len(words) > maxWords:
		return fmt.Sprintf("%d words, at most %d are possible", len(words), maxWords)
	}
	for i, word := range words {
		switch {
		case word == "":
			return "an empty word"
		case filter && word == "*", filter && word == ">" && i == len(words)-1:
		case filter && word == ">":
			return "> stands at the end only"
		case strings.ContainsFunc(word, notOfWord):
			return fmt.Sprintf("word %q: words are made of A-Z a-z 0-9 _ -", word)
		}
	}
	return ""
}

func notOfWord(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
}
