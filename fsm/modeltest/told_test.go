package modeltest

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/ferrymq/ferrymq/fsm"
)

// told shows the last entries of the log as they are decoded.
func (h *history) told() string {
	var text strings.Builder
	for _, l := range h.log[max(0, len(h.log)-toldMax):] {
		header, commands, err := fsm.DecodeEntry(l.entry)
		fmt.Fprintf(&text, "entry %d %+v %v\n", l.index, header.Clock, err)
		for _, c := range commands {
			fmt.Fprintf(&text, "    %T%+v\n", c, brief(c))
		}
	}
	return brevity.Replace(zeros.ReplaceAllString(many.ReplaceAllString(text.String(), ""), "$1"))
}

const toldMax = 12

// What is left out: fields that are zero, and the constant part of sessions
// and secrets.
var (
	many    = regexp.MustCompile(`( 0){10,}|0{100,}`)
	zeros   = regexp.MustCompile(`[A-Z]\w*:(?:0|false|\[\]|)( |\})`)
	brevity = strings.NewReplacer("*fsm.", "", "OpHeader:", "", "Session:[254 ", "session:[")
)
