package client

import (
	"strings"
	"testing"
)

func TestFiltersAndSubjects(t *testing.T) {
	words := func(n int) string { return strings.TrimSuffix(strings.Repeat("a.", n), ".") }
	for _, c := range []struct {
		text                     string
		subject, filter, neither string // what is said of it as the one, the other, and as both
	}{
		{text: "a"}, {text: "order.eu-1.paid_2"}, {text: words(32)}, {text: strings.Repeat("a", 256)},
		{text: "*", subject: `word "*"`}, {text: "a.*.b.>", subject: `word "*"`}, {text: ">", subject: `word ">"`},
		{text: ">.a", subject: `word ">"`, filter: "> stands at the end only"},
		{text: "a.b*", neither: `word "b*"`}, {text: "a b", neither: `word "a b"`}, {text: "ä", neither: `word "ä"`},
		{text: "", neither: "an empty word"}, {text: "a..b", neither: "an empty word"}, {text: "a.", neither: "an empty word"},
		{text: words(33), neither: "33 words, at most 32"}, {text: strings.Repeat("a", 257), neither: "257 bytes, at most 256"},
	} {
		for said, err := range map[string]error{c.subject + c.neither: CheckSubject(c.text), c.filter + c.neither + " ": CheckFilter(c.text)} {
			if said = strings.TrimSpace(said); said == "" {
				if err != nil {
					t.Errorf("%q: %v", c.text, err)
				}
				continue
			}
			tellsOf(t, c.text, err, ErrInvalid, said)
		}
	}
}
