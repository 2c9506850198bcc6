//go:build linux

package jepsen

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
)

// times are when the messages of a queue are due, be it to be ready or to
// expire, and what was seen of them. How late that may be is bounded by no
// clock of this test, which could not know how slow the machine is, nor how
// long nobody led: what is due happens in the first entry whose time is past
// it. What was published after it, and is seen, shows that such an entry was.
type times struct {
	mu      sync.Mutex
	sent    map[string]*timed
	waiting map[client.MessageID]*timed // confirmed, due some time, and not seen to be gone
	newest  time.Time                   // when the latest publish that was confirmed began
	crossed int                         // messages that outlived a leader and were due after it
	wrong   []string
}

// timed is a message.
type timed struct {
	text   string
	began  time.Time     // its publish
	wait   time.Duration // how long after that it is due; 0: at once, or never
	fixed  bool          // it is due at that very time; else so long after its entry's, which is no earlier
	deaths int           // leaders that had died when it was published

	from, to time.Time // within which it is due; to is zero until the publish is confirmed
}

// arrival is a message's at a consumer, who had settled the one before no
// earlier than asked.
type arrival struct {
	text      string
	asked, at time.Time
}

func newTimes() *times {
	return &times{sent: map[string]*timed{}, waiting: map[client.MessageID]*timed{}}
}

// publishes is called before a message is published.
func (x *times) publishes(m *timed) {
	x.mu.Lock()
	defer x.mu.Unlock()
	m.from = m.began.Add(m.wait - timedStep)
	x.sent[m.text] = m
}

// confirmed is called when it was.
func (x *times) confirmed(m *timed, id client.MessageID, at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	due := at.Add(m.wait)
	if m.fixed {
		due = at
		if then := m.began.Add(m.wait); then.After(at) {
			due = then
		}
	}
	m.to = due.Add(timedStep)
	if m.wait > 0 {
		x.waiting[id] = m
	}
	if m.began.After(x.newest) {
		x.newest = m.began
	}
}

// came notes that so many leaders had died when a message arrived.
func (x *times) came(text string, deaths int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if m := x.sent[text]; m != nil && m.wait > 0 && m.deaths < deaths {
		x.crossed++
	}
}

func (x *times) crossings() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.crossed
}

// readied says which messages came to a consumer too early, or behind one that
// was published after they were due: they are before that in their queue.
func (x *times) readied(came []arrival) (wrong []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var newest time.Time
	for _, a := range came {
		m := x.sent[a.text]
		if m == nil {
			continue // the ledger tells
		}
		if early := m.from.Sub(a.at); early > 0 {
			wrong = append(wrong, fmt.Sprintf("%s came %v too early", a.text, early))
		}
		if late := newest.Sub(m.to); late >= 0 {
			wrong = append(wrong, fmt.Sprintf("%s came behind one that was published %v after it was due", a.text, late))
		}
		if m.wait == 0 && m.began.After(newest) {
			newest = m.began
		}
	}
	return wrong
}

// outlived says which messages were handed out after they had expired, to a
// consumer that holds one at a time: each is handed out after the one before
// was settled.
func (x *times) outlived(came []arrival) (wrong []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, a := range came {
		if m := x.sent[a.text]; m != nil {
			if late := a.asked.Sub(m.to); late >= 0 {
				wrong = append(wrong, fmt.Sprintf("%s was handed out %v after it had expired", a.text, late))
			}
		}
	}
	return wrong
}

// look judges what is there and what is gone. Of what was known before it
// began, and of no more, it tells what must have happened. What is leased does
// not expire; and where messages are taken, what is gone need not have expired.
func (x *times) look(taken bool, deaths func() int, browse func() (map[client.MessageID]client.MessageState, error)) error {
	x.mu.Lock()
	waiting, newest := maps.Clone(x.waiting), x.newest
	x.mu.Unlock()
	there, err := browse()
	if err != nil {
		return err
	}
	over, died := time.Now(), deaths()
	x.mu.Lock()
	defer x.mu.Unlock()
	for id, m := range waiting {
		if state, is := there[id]; is {
			if late := newest.Sub(m.to); late >= 0 && state != client.Leased {
				x.wrong = append(x.wrong, fmt.Sprintf("%s is there, %s, beside one that was published %v after it expired", m.text, state, late))
			}
			continue
		}
		delete(x.waiting, id)
		if early := m.from.Sub(over); early > 0 && !taken {
			x.wrong = append(x.wrong, fmt.Sprintf("%s was gone %v before it expired", m.text, early))
		}
		if m.deaths < died {
			x.crossed++
		}
	}
	return nil
}

// buried says which of the dead letters had not expired.
func (x *times) buried(dead []client.BrowsedMessage) (wrong []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, d := range dead {
		text := string(d.Message.Body)
		if d.Death.Reason != "expired" {
			wrong = append(wrong, text+" died of "+d.Death.Reason)
		} else if m := x.sent[text]; m != nil && d.Death.At.Before(m.from) {
			wrong = append(wrong, fmt.Sprintf("%s died %v before it expired", text, m.from.Sub(d.Death.At)))
		}
	}
	return wrong
}

// seen are the faults that looks have found.
func (x *times) seen() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.wrong
}

// late is how late the latest of those came that had to wait, at most.
func (x *times) late(came []arrival) (most time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, a := range came {
		if m := x.sent[a.text]; m != nil && m.wait > 0 {
			most = max(most, a.at.Sub(m.from))
		}
	}
	return most
}

func TestTimesFindWhatIsEarlyOrLate(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) time.Time { return now.Add(d) }
	x := newTimes()
	for i, m := range []*timed{
		{text: "delayed", wait: time.Hour},
		{text: "fixed", wait: time.Hour, fixed: true},
		{text: "past", wait: time.Millisecond, fixed: true},
		{text: "plain"},
		{text: "newest", began: at(2 * time.Hour)},
	} {
		if m.began.IsZero() {
			m.began = now
		}
		x.publishes(m)
		x.confirmed(m, client.MessageID{Index: uint64(i)}, m.began.Add(time.Second))
	}
	hour, step := time.Hour, timedStep
	come := func(at time.Time, text string) arrival { return arrival{text: text, at: at, asked: at} }
	require.Empty(t, x.readied([]arrival{come(at(0), "plain"), come(at(0), "past"), come(at(hour-step), "fixed"),
		come(at(hour-step), "delayed"), come(at(2*hour), "newest")}))
	require.Equal(t, []string{"delayed came 1ns too early", "fixed came 1ns too early"},
		x.readied([]arrival{come(at(hour-step-1), "delayed"), come(at(hour-step-1), "fixed")}))
	late := []arrival{come(at(2*hour), "newest"), come(at(2*hour), "delayed"), come(at(2*hour), "fixed"), come(at(2*hour), "past")}
	require.Equal(t, []string{
		"delayed came behind one that was published 59m58.999s after it was due",
		"fixed came behind one that was published 59m59.999s after it was due",
		"past came behind one that was published 1h59m58.999s after it was due",
	}, x.readied(late))
	require.Equal(t, hour+step, x.late(late[:2]))

	require.Empty(t, x.outlived([]arrival{come(at(hour+time.Second+step-1), "delayed")}))
	require.Equal(t, []string{"delayed was handed out 0s after it had expired"},
		x.outlived([]arrival{come(at(hour+time.Second+step), "delayed")}))

	dead := func(reason string, d time.Duration) []client.BrowsedMessage {
		return []client.BrowsedMessage{{Death: &client.Death{Reason: reason, At: at(d)}, Message: &client.Message{Body: []byte("delayed")}}}
	}
	require.Empty(t, x.buried(dead("expired", hour-step)))
	require.Equal(t, []string{"delayed died 1ns before it expired"}, x.buried(dead("expired", hour-step-1)))
	require.Equal(t, []string{"delayed died of overflow"}, x.buried(dead("overflow", hour)))
}

func TestTimesLookAtWhatIsThere(t *testing.T) {
	now := time.Now()
	x := newTimes()
	wait := func(i int, text string, began, wait time.Duration, deaths int) {
		m := &timed{text: text, began: now.Add(began), wait: wait, deaths: deaths}
		x.publishes(m)
		x.confirmed(m, client.MessageID{Index: uint64(i)}, m.began)
	}
	wait(0, "over", -time.Hour, time.Minute, 1)
	wait(1, "coming", -time.Hour, 2*time.Hour, 2)
	look := func(taken bool, there map[client.MessageID]client.MessageState) []string {
		x.wrong = nil
		require.NoError(t, x.look(taken, func() int { return 2 }, func() (map[client.MessageID]client.MessageState, error) { return there, nil }))
		return x.seen()
	}
	both := map[client.MessageID]client.MessageState{{Index: 0}: client.Ready, {Index: 1}: client.Scheduled}
	require.Empty(t, look(false, both), "nothing was published since it expired")
	wait(2, "plain", 0, 0, 2)
	require.Equal(t, []string{"over is there, ready, beside one that was published 58m59.999s after it expired"}, look(false, both))
	both[client.MessageID{Index: 0}] = client.Leased
	require.Empty(t, look(false, both))
	require.Zero(t, x.crossings())
	delete(both, client.MessageID{Index: 0})
	require.Empty(t, look(false, both))
	require.Equal(t, 1, x.crossings())
	before := len(x.waiting)
	require.Empty(t, look(true, nil))
	require.Equal(t, before-1, len(x.waiting))
	wait(1, "coming", 0, time.Hour, 2)
	require.Len(t, look(false, nil), 1)
}
