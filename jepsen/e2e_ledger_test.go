//go:build linux

package jepsen

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/workload"
)

// ledger has what became of each publish, by the text of its message.
type ledger struct {
	mu   sync.Mutex
	sent map[string]history.Outcome
}

func newLedger() *ledger { return &ledger{sent: map[string]history.Outcome{}} }

// note takes in the outcome of a publish.
func (l *ledger) note(text string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent[text] = workload.OutcomeOf(err)
}

// count is how many publishes ended so.
func (l *ledger) count(outcome history.Outcome) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.sent {
		if o == outcome {
			n++
		}
	}
	return n
}

// misplaced says what is wrong with the messages found in a place where each
// confirmed one has to be once, and each one of unknown outcome may be.
func (l *ledger) misplaced(found []string) (wrong []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	times := map[string]int{}
	for _, text := range found {
		times[text]++
		switch o, sent := l.sent[text]; {
		case !sent:
			wrong = append(wrong, "never published: "+text)
		case o == history.Fail:
			wrong = append(wrong, "refused, and there: "+text)
		case times[text] == 2:
			wrong = append(wrong, "doubled: "+text)
		}
	}
	for text, o := range l.sent {
		if o == history.OK && times[text] == 0 {
			wrong = append(wrong, "lost: "+text)
		}
	}
	return wrong
}

func TestLedgerFindsWhatIsMisplaced(t *testing.T) {
	l := newLedger()
	l.note("a", nil)
	l.note("b", nil)
	l.note("perhaps", &client.Error{Code: 0})
	l.note("perhaps", errors.Join(client.ErrUnknownOutcome))
	l.note("refused", fmt.Errorf("publish: %w", &client.Error{}))
	require.Equal(t, 2, l.count(history.OK))
	require.Equal(t, 1, l.count(history.Unknown))
	require.Empty(t, l.misplaced([]string{"b", "a"}))
	require.Empty(t, l.misplaced([]string{"b", "a", "perhaps"}))
	for fault, found := range map[string][]string{
		"lost: b":                     {"a"},
		"doubled: a":                  {"a", "b", "a", "a"},
		"doubled: perhaps":            {"a", "b", "perhaps", "perhaps"},
		"never published: c":          {"a", "b", "c"},
		"refused, and there: refused": {"a", "b", "refused"},
	} {
		require.Equal(t, []string{fault}, l.misplaced(found))
	}
}
