package cli

import (
	"encoding/hex"
	"fmt"
	"time"
)

// timeText is a time as text, "" for none.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// sessionText is a session in hex, "" for none.
func sessionText(id [16]byte) string {
	if id == [16]byte{} {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// shortSession is enough of a session to tell it from others at a glance.
func shortSession(text string) string {
	return text[:min(len(text), 8)]
}

// agoText is how long ago something was, for people.
func agoText(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	d := now.Sub(t)
	if d < time.Minute {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// some is a number as text, "" for 0.
func some[T ~int | ~uint32 | ~uint64](n T) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
