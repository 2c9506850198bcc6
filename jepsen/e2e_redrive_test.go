//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

const (
	redriveQueue    = "redrive"
	redriveDead     = redriveQueue + ".dlq"
	redriveMessages = 300
	// redrivePatience is more than a request takes when a leader has died on a
	// busy machine.
	redrivePatience = "1m"
)

var errHopeless = errors.New("hopeless")

// redriveUnderKills: `ferry dlq redrive` is killed half-way, twice, and the
// second time it has outlasted a leader. Whenever one looks, each message is in
// one of both queues, under its id; another redrive does the rest.
func redriveUnderKills(s *scene) {
	s.createQueue(redriveQueue, client.QueueSettings{})
	s.begins()
	cycles, killed := 0, 0
	for range s.work(10, func() bool { return cycles > 0 }) {
		r := &redriving{scene: s, sent: newLedger(), ids: map[string]client.MessageID{}}
		r.bury(cycles)
		r.half(40, func(moved int) bool { return moved >= redriveMessages/10 })
		before := s.failovers()
		r.half(8, func(moved int) bool { return s.failovers() > before && moved > 0 })
		r.rest()
		cycles++
		killed += 2
	}
	s.finished("%d redrives killed half-way, and gone on with: %d messages, each there once", killed, cycles*redriveMessages)
}

// redriving is some messages, and where they are.
type redriving struct {
	*scene
	sent  *ledger
	ids   map[string]client.MessageID
	moved int
}

// bury publishes messages and has all of them die.
func (r *redriving) bury(cycle int) {
	r.t.Helper()
	conn := r.connect(0)
	var ms []client.Message
	for i := range redriveMessages {
		ms = append(ms, client.Message{Body: fmt.Appendf(nil, "%d-%d", cycle, i)})
	}
	results, err := conn.PublishBatch(r.ctx, redriveQueue, ms)
	require.NoError(r.t, err)
	for i, result := range results {
		text := string(ms[i].Body)
		r.sent.note(text, result.Err)
		r.ids[text] = result.ID
	}
	require.Equal(r.t, redriveMessages, r.sent.count(history.OK), "confirmed")
	r.drain(conn, redriveQueue, func(*client.Delivery) error { return client.Permanent(errHopeless) })
	r.where(0)
}

// drain has a handler take everything that a queue holds.
func (r *redriving) drain(conn *client.Conn, queue string, h func(*client.Delivery) error) {
	r.t.Helper()
	k, err := conn.Consume(r.ctx, queue, func(_ context.Context, d *client.Delivery) error { return h(d) },
		client.WithConcurrency(16), client.WithPrefetch(16))
	require.NoError(r.t, err)
	r.endWith(conn, k)
	r.awaitEmpty(queue)
	require.NoError(r.t, k.Stop(r.ctx))
}

// start runs `ferry dlq redrive`.
func (r *redriving) start(args ...string) (p nodes.Process, log string) {
	r.t.Helper()
	log = filepath.Join(r.t.TempDir(), "redrive.log")
	path, err := ferryBinary()
	require.NoError(r.t, err)
	args = append([]string{"dlq", "redrive", redriveQueue, "--all", "--url", r.cluster.URL(1), "--timeout", redrivePatience}, args...)
	p, err = nodes.StartProcess("redrive", path, args, log)
	require.NoError(r.t, err)
	return p, log
}

// half starts a redrive of so many messages a second and kills it when that
// many have moved, by which it must not be done.
func (r *redriving) half(rate float64, enough func(moved int) bool) {
	r.t.Helper()
	p, log := r.start("--rate", fmt.Sprint(rate))
	defer func() { require.NoError(r.t, p.Kill()) }()
	r.await(func() bool {
		select {
		case <-p.Done():
			said, err := os.ReadFile(log)
			require.Fail(r.t, "it was not killed half-way", "%v: %s%v", p.Err(), said, err)
		default:
		}
		return enough(redriveMessages - r.moved - int(r.queue(redriveDead).Ready))
	}, "half of a redrive")
	require.NoError(r.t, p.Kill())
	r.where(redriveMessages - r.moved - 1)
}

// where looks where the messages are: at most so many more have moved, and
// each is in one place, as it was.
func (r *redriving) where(most int) {
	r.t.Helper()
	there := r.look(redriveQueue, redriveDead)
	back, dead := there[redriveQueue], there[redriveDead]
	all := slices.Concat(back, dead)
	require.Empty(r.t, few(r.sent.misplaced(texts(all))))
	for _, m := range all {
		require.Equal(r.t, r.ids[string(m.Message.Body)], m.ID, "the id of %s", m.Message.Body)
	}
	if most == 0 {
		require.Len(r.t, back, r.moved)
		return
	}
	require.Greater(r.t, len(back), r.moved, "nothing was moved")
	require.LessOrEqual(r.t, len(back), r.moved+most, "everything was moved")
	r.moved = len(back)
}

// rest redrives what is left, and takes everything.
func (r *redriving) rest() {
	r.t.Helper()
	p, log := r.start()
	defer func() { require.NoError(r.t, p.Kill()) }()
	select {
	case <-p.Done():
	case <-r.ctx.Done():
		require.NoError(r.t, r.ctx.Err(), "waiting for the last redrive")
	}
	said, err := os.ReadFile(log)
	require.NoError(r.t, err)
	require.NoError(r.t, p.Err(), "%s", said)
	// What the killed one had sent may have arrived after the last look.
	want, moved := redriveMessages-r.moved, 0
	_, err = fmt.Sscanf(string(said), "moved %d of", &moved)
	require.NoError(r.t, err, "%s", said)
	require.Equal(r.t, fmt.Sprintf("moved %d of %d messages of %s\n", moved, moved, redriveDead), string(said))
	require.LessOrEqual(r.t, moved, want)
	r.where(want)
	require.Equal(r.t, redriveMessages, r.moved)
	conn := r.connect(1)
	r.drain(conn, redriveQueue, func(*client.Delivery) error { return nil })
	require.Zero(r.t, left(r.queue(redriveDead)))
}
