package client

import (
	"testing"

	"github.com/ferrymq/ferrymq/transport"
)

// TestDetailIsToldOfItsMessage: of messages that shared a frame, each is told
// what was wrong with it alone.
func TestDetailIsToldOfItsMessage(t *testing.T) {
	items := make([]transport.Verdict, 3)
	for _, c := range []struct {
		detail string
		items  []transport.Verdict
		i      int
		code   transport.Code
		want   string
	}{
		{"message 1: time to live is longer than ten years", items, 1, transport.CodeInvalid, "time to live is longer than ten years"},
		{"message 1: time to live is longer than ten years", items, 2, transport.CodeInvalid, ""},
		{"message 1: time to live is longer than ten years", items, 0, transport.CodeConflict, ""},
		{"message 1: time to live is longer than ten years", nil, 0, transport.CodeInvalid, "message 1: time to live is longer than ten years"},
		{"subscription s is full", items, 0, transport.CodeBusy, "subscription s is full"},
		{"subscription s is full", items, 1, transport.CodeInvalid, ""},
		{"", items, 0, transport.CodeInvalid, ""},
	} {
		b := &batch{result: transport.Result{Detail: c.detail, Items: c.items}}
		if got := b.detailOf(c.i, c.code); got != c.want {
			t.Errorf("%q of message %d, %s: %q, want %q", c.detail, c.i, c.code, got, c.want)
		}
	}
}
