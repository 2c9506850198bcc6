package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
)

// busy is as much as there is to show.
func busy() view {
	v := view{queues: map[string]client.QueueInfo{}, leader: "n1", placed: 99_999}
	for _, name := range stages {
		v.queues[name] = client.QueueInfo{Name: name, Ready: 99_999, Leased: 999, Retrying: 9_999, Acked: 99_999, Dead: 999}
	}
	q := v.queues[email]
	q.Breaker.State = client.BreakerOpen
	v.queues[email] = q
	return v
}

// A line that wraps would be drawn over in part only.
func TestStateFitsATerminal(t *testing.T) {
	s := newScreen(new(bytes.Buffer), true)
	for _, name := range []string{"n1", "n2", "n3"} {
		s.setNode(name, name != "n2")
	}
	colour := regexp.MustCompile("\x1b\\[[0-9]+m")
	for _, line := range s.table(busy()) {
		require.LessOrEqual(t, utf8.RuneCountInString(colour.ReplaceAllString(line, "")), 80, "%s", line)
	}
}

// An event comes above the state, which is drawn again below it.
func TestEventsComeAboveTheState(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, true)
	s.draw(busy())
	lines := strings.Count(out.String(), "\n")
	out.Reset()
	s.say("n2 is killed")
	require.True(t, strings.HasPrefix(out.String(), "\x1b["), "%q", out.String())
	require.Equal(t, lines+1, strings.Count(out.String(), "\n"))
	out.Reset()
	s.draw(busy())
	require.Equal(t, lines, strings.Count(out.String(), "\n"))
}

func TestPlainLinesHaveNoColours(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, false)
	s.draw(busy())
	s.draw(busy()) // too soon for another line
	s.say("n2 is killed")
	require.NotContains(t, out.String(), "\x1b")
	require.Equal(t, 2, strings.Count(out.String(), "\n"))
	require.Contains(t, out.String(), "email 110997 (breaker open)")
}
