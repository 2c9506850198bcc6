package attack

import (
	"context"
	"time"
)

// Target is the cluster under attack.
type Target struct {
	Addr string // of one node
	URL  string // of the cluster
}

// Attack is one kind of bad input. Run does it and returns nil if the cluster
// answered as it must; its context ends at the deadline by which it must have.
type Attack struct {
	Name     string
	Deadline time.Duration
	Run      func(ctx context.Context, t Target) error
}

// Deadlines that the attacks hold the server to: its own (5 s for Hello, three
// heartbeats of silence after it) and time for a busy machine.
const (
	answerWithin = 5 * time.Second
	helloWithin  = 12 * time.Second
)

// Table lists every attack.
func Table() []Attack {
	return []Attack{
		{"an unknown queue", answerWithin, unknownQueue},
		{"a bad name of a queue", answerWithin, badName},
		{"too large a message", answerWithin, tooLargeMessage},
		{"too large a frame", answerWithin, afterHello(frame(opPublish, 1, nil, 64<<20), codeTooLarge)},
		{"too large a Hello", answerWithin, insteadOfHello(frame(opHello, 0, make([]byte, 64<<10), -1), codeTooLarge)},
		{"a wrong version in the preface", answerWithin, opening(preface(9, 0), codeVersion)},
		{"a wrong version in Hello", answerWithin, greeting(hello{versionMin: 90, versionMax: 99}, codeVersion)},
		{"another cluster's id", answerWithin, opening(append(preface(1, 77), frame(opHello, 0,
			hello{versionMin: 1, versionMax: 1}.payload(), -1)...), codeHandshake)},
		{"TLS", answerWithin, greeting(hello{versionMin: 1, versionMax: 1, tls: true}, codeUnsupported)},
		{"authentication", answerWithin, greeting(hello{versionMin: 1, versionMax: 1, auth: "plain"}, codeUnsupported)},
		{"compression", answerWithin, greeting(hello{versionMin: 1, versionMax: 1, compression: "zstd"}, codeUnsupported)},
		{"an operation before Hello", answerWithin, insteadOfHello(frame(opPublish, 1, []byte{0x90}, -1), codeHandshake)},
		{"HTTP", answerWithin, opening([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), anyCode)},
		{"garbage instead of a preface", answerWithin, opening(garbage(4096), anyCode)},
		{"garbage instead of Hello", answerWithin, insteadOfHello(garbage(4096), anyCode)},
		{"garbage after Hello", answerWithin, afterHello(garbage(4096), anyCode)},
		{"a wrong checksum", answerWithin, afterHello(flipped(frame(opPublish, 1, []byte{0x90}, -1)), codeMalformed)},
		{"a payload that is no array", answerWithin, afterHello(frame(opPublish, 1, []byte{0xc1}, -1), codeMalformed)},
		{"an array of four billion", answerWithin, afterHello(frame(opPublish, 1, []byte{0xdd, 255, 255, 255, 255}, -1), codeMalformed)},
		{"an unknown op", answerWithin, afterHello(frame(999, 1, []byte{0x90}, -1), anyCode)},
		{"a second Hello", answerWithin, afterHello(frame(opHello, 0, hello{versionMin: 1, versionMax: 1}.payload(), -1), anyCode)},
		{"half a preface, then silence", helloWithin, opening(preface(1, 0)[:prefaceSize/2], anyCode)},
		{"half a Hello, then silence", helloWithin, insteadOfHello(half(frame(opHello, 0,
			hello{versionMin: 1, versionMax: 1}.payload(), -1)), anyCode)},
		{"half a frame, then silence", helloWithin, afterHello(half(frame(opPublish, 1, make([]byte, 4096), -1)), anyCode)},
		{"one byte at a time", helloWithin, dripping},
		{"1,000 idle connections", 2 * helloWithin, idle(1000)},
	}
}
