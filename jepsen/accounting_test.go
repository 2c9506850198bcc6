package jepsen

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// orderly writes a history without fault: n messages, each published,
// confirmed, delivered and acked once.
func orderly(n uint64) *History {
	h := NewHistory()
	for seq := uint64(1); seq <= n; seq++ {
		k := Key{Producer: 1, Seq: seq}
		h.Attempt(k)
		h.Published(k, Confirmed, k.String())
		h.Delivered(k, Seen{Consumer: 1, Attempt: 1, Token: seq, ID: k.String()})
		h.Acking(k, seq)
		h.Acked(k, seq, Confirmed)
	}
	return h
}

func TestJudgeTakesAnOrderlyHistory(t *testing.T) {
	h := orderly(100)
	again := Key{Producer: 2, Seq: 1}
	h.Attempt(again)
	h.Published(again, Confirmed, "2")
	h.Delivered(again, Seen{Consumer: 1, Attempt: 1, Token: 200, ID: "2"})
	h.Acked(again, 200, Failed)
	h.Delivered(again, Seen{Consumer: 2, Attempt: 2, Token: 201, Redelivered: true, ID: "2"})
	h.Acked(again, 201, Confirmed)

	a := Judge(h, Floors{Confirmed: 101, Delivered: 102, Acked: 101, Redelivered: 1})
	require.NoError(t, a.Err())
	require.Equal(t, 1, a.Redelivered)
	require.Equal(t, 101, a.Consumed)
	require.Equal(t, Counts{Attempted: 101, Confirmed: 101, Delivered: 102, Held: 2}, h.Counts())
}

func TestJudgeCountsUnknownOutcomesAsNeitherFault(t *testing.T) {
	h := orderly(1)
	taken, untaken, ackless := Key{2, 1}, Key{2, 2}, Key{2, 3}
	for _, k := range []Key{taken, untaken} {
		h.Attempt(k)
		h.Published(k, Unknown, "")
	}
	h.Delivered(taken, Seen{Attempt: 1, Token: 50})
	h.Acked(taken, 50, Confirmed)
	h.Attempt(ackless)
	h.Published(ackless, Confirmed, "3")
	h.Delivered(ackless, Seen{Attempt: 1, Token: 51, ID: "3"})
	h.Acked(ackless, 51, Unknown)

	a := Judge(h, Floors{})
	require.NoError(t, a.Err())
	require.Equal(t, 2, a.Unknown)
	require.Equal(t, 1, a.Recovered)
	require.Equal(t, 1, a.AckUnknown)
}

// Every error planted in an orderly history is found, and called by its name.
func TestJudgeFindsPlantedErrors(t *testing.T) {
	k := Key{Producer: 9, Seq: 9}
	publish := func(h *History, o Outcome) {
		h.Attempt(k)
		h.Published(k, o, map[bool]string{true: "id"}[o == Confirmed])
	}
	deliver := func(h *History, attempt int, token uint64, flagged bool) {
		h.Delivered(k, Seen{Consumer: 1, Attempt: attempt, Token: token, Redelivered: flagged, ID: "id"})
	}
	for name, plant := range map[string]func(h *History){
		"lost":       func(h *History) { publish(h, Confirmed) },
		"unexpected": func(h *History) { deliver(h, 1, 900, false); h.Acked(k, 900, Confirmed) },
		"ghosts":     func(h *History) { publish(h, Failed); deliver(h, 1, 900, false); h.Acked(k, 900, Confirmed) },
		"unsettled": func(h *History) {
			publish(h, Confirmed)
			deliver(h, 1, 900, false)
			h.Acked(k, 900, Failed)
		},
		"duplicated": func(h *History) {
			publish(h, Confirmed)
			deliver(h, 1, 900, false)
			deliver(h, 1, 901, false)
			h.Acked(k, 901, Confirmed)
		},
		"delivered after ack": func(h *History) {
			publish(h, Confirmed)
			deliver(h, 1, 900, false)
			h.Acked(k, 900, Confirmed)
			deliver(h, 2, 901, true)
			h.Acked(k, 901, Failed)
		},
		"acked twice": func(h *History) {
			publish(h, Confirmed)
			deliver(h, 1, 900, false)
			deliver(h, 2, 901, true)
			h.Acked(k, 900, Confirmed)
			h.Acked(k, 901, Confirmed)
		},
		"token did not rise": func(h *History) {
			publish(h, Confirmed)
			deliver(h, 1, 901, false)
			deliver(h, 2, 900, true)
			h.Acked(k, 900, Confirmed)
		},
		"other identity": func(h *History) {
			publish(h, Confirmed)
			h.Delivered(k, Seen{Attempt: 1, Token: 900, ID: "another"})
			h.Acked(k, 900, Confirmed)
		},
		"never answered": func(h *History) { h.Attempt(k) },
	} {
		t.Run(name, func(t *testing.T) {
			h := orderly(10)
			plant(h)
			a := Judge(h, Floors{Confirmed: 10})
			require.ErrorIs(t, a.Err(), ErrInvalid)
			require.ErrorContains(t, a.Err(), name)
		})
	}
}

func TestJudgeUnflaggedRepeatIsDuplicated(t *testing.T) {
	h := orderly(1)
	k := Key{2, 1}
	h.Attempt(k)
	h.Published(k, Confirmed, "x")
	h.Delivered(k, Seen{Attempt: 1, Token: 70, ID: "x"})
	h.Delivered(k, Seen{Attempt: 2, Token: 71, ID: "x"})
	h.Acked(k, 71, Confirmed)
	a := Judge(h, Floors{})
	require.Equal(t, []Key{k}, a.Duplicated)
}

func TestFloorsMakeAnEmptyHistoryInvalid(t *testing.T) {
	a := Judge(NewHistory(), Floors{Confirmed: 1, Delivered: 1, Acked: 1, Redelivered: 1})
	require.Len(t, a.Missed, 4)
	require.True(t, errors.Is(a.Err(), ErrInvalid))
	require.Contains(t, a.Err().Error(), "confirmed 0 is below the floor of 1")
}

func TestFaultsAreSampledNotDumped(t *testing.T) {
	h := NewHistory()
	for seq := uint64(1); seq <= 1000; seq++ {
		h.Attempt(Key{1, seq})
		h.Published(Key{1, seq}, Confirmed, "")
	}
	a := Judge(h, Floors{})
	text := a.Err().Error()
	require.Contains(t, text, "1000 lost (p1-1 p1-2")
	require.Less(t, len(text), 200)
	require.Equal(t, 1, strings.Count(text, "…"))
}

func TestKeyRoundTrip(t *testing.T) {
	k := Key{Producer: 3, Seq: 1 << 40}
	got, err := ParseKey([]byte(k.String() + " and a body"))
	require.NoError(t, err)
	require.Equal(t, k, got)
	for _, bad := range []string{"", "p", "p1", "1-2", "p1-x", "px-1", "p-1-1"} {
		_, err := ParseKey([]byte(bad))
		require.Error(t, err, bad)
	}
}

func TestWidestGap(t *testing.T) {
	h := orderly(3)
	require.GreaterOrEqual(t, h.Widest().Length().Nanoseconds(), int64(0))
	h.ResetGap()
	require.Zero(t, h.Widest().Length())

	h.Mark()
	require.False(t, h.isMarked())
	late := Key{Producer: 2, Seq: 1}
	h.Attempt(late)
	h.Published(late, Confirmed, "x")
	require.True(t, h.isMarked())
	require.NoError(t, h.AwaitMarked(t.Context()))
}
