package store

import (
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

func requireVote(t *testing.T, st raft.StableStore, term, voteTerm uint64, cand string) {
	t.Helper()
	got, err := st.GetUint64([]byte(keyTerm))
	require.NoError(t, err)
	require.Equal(t, term, got)
	got, err = st.GetUint64([]byte(keyVoteTerm))
	require.NoError(t, err)
	require.Equal(t, voteTerm, got)
	raw, err := st.Get([]byte(keyVoteCand))
	if cand == "" {
		require.EqualError(t, err, "not found") // the text that raft knows
		return
	}
	require.NoError(t, err)
	require.Equal(t, cand, string(raw))
}

func TestVoteSurvivesReopen(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		requireVote(t, s.Stable(), 0, 0, "")
		require.NoError(t, s.Stable().SetUint64([]byte(keyTerm), 2))
		requireVote(t, s.Stable(), 2, 0, "")
		vote(t, s, 3, "a")
		require.NoError(t, s.Stable().SetUint64([]byte(keyTerm), 5))
		require.NoError(t, s.Stable().Set([]byte("other"), []byte("x")))
		require.NoError(t, s.Close())
		s = open(t, o)
		requireVote(t, s.Stable(), 5, 3, "a")
		other, err := s.Stable().Get([]byte("other"))
		require.NoError(t, err)
		require.Equal(t, "x", string(other))
	})
}

func TestCrashBetweenTheTwoHalvesOfAVote(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		s := open(t, o)
		vote(t, s, 3, "a")
		require.NoError(t, s.Stable().SetUint64([]byte(keyTerm), 4))
		require.NoError(t, s.Stable().SetUint64([]byte(keyVoteTerm), 4))
		requireVote(t, s.Stable(), 4, 3, "a") // a held term is not readable

		killed := o
		killed.Dir = crash(t, o.Dir)
		after := open(t, killed)
		requireVote(t, after.Stable(), 4, 3, "a")
		vote(t, after, 4, "c") // the vote of term 4 was never given

		require.NoError(t, s.Stable().Set([]byte(keyVoteCand), []byte("b")))
		killed.Dir = crash(t, o.Dir)
		requireVote(t, open(t, killed).Stable(), 4, 4, "b")
	})
}

func TestVoteIsWrittenOnce(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		writes := 0
		o := options(t.TempDir(), kind)
		o.hooks.wrapStable = func(st raft.StableStore) raft.StableStore {
			return &watched{st, func(_, _ []byte) error {
				writes++
				return nil
			}}
		}
		s := open(t, o)
		vote(t, s, 3, "a")
		require.Equal(t, 2, writes, "one for the term, one for the vote")
		vote(t, s, 3, "a")
		require.Equal(t, 2, writes, "nothing changed")
	})
}

func TestVoteIsNeverTakenBack(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		s := open(t, options(t.TempDir(), kind))
		st := s.Stable()
		require.ErrorIs(t, st.Set([]byte(keyVoteCand), []byte("a")), ErrVoteOrder)
		vote(t, s, 3, "a")
		require.ErrorIs(t, st.SetUint64([]byte(keyTerm), 2), ErrVoteConflict)
		for _, again := range []struct {
			term uint64
			cand string
		}{{3, "b"}, {2, "a"}} {
			require.NoError(t, st.SetUint64([]byte(keyVoteTerm), again.term))
			require.ErrorIs(t, st.Set([]byte(keyVoteCand), []byte(again.cand)), ErrVoteConflict)
		}
		requireVote(t, st, 3, 3, "a")
		require.NoError(t, s.Err())
	})
}

func TestFailedVoteIsNotGiven(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		o.hooks.wrapStable = func(st raft.StableStore) raft.StableStore {
			return &watched{st, func(_, val []byte) error {
				if rec, err := decodeVote(val); err != nil || rec.voteTerm == 4 {
					return syscall.EIO
				}
				return nil
			}}
		}
		s := open(t, o)
		vote(t, s, 3, "a")
		require.NoError(t, s.Stable().SetUint64([]byte(keyTerm), 4))
		require.NoError(t, s.Stable().SetUint64([]byte(keyVoteTerm), 4))
		require.ErrorIs(t, s.Stable().Set([]byte(keyVoteCand), []byte("b")), syscall.EIO)
		require.ErrorIs(t, s.Stable().Set([]byte(keyVoteCand), []byte("b")), ErrVoteOrder)
		require.ErrorIs(t, s.Err(), ErrPoisoned)
		require.NoError(t, s.Close())
		o.hooks.wrapStable = nil
		requireVote(t, open(t, o).Stable(), 4, 3, "a")
	})
}

func FuzzDecodeVote(f *testing.F) {
	f.Add(encodeVote(voteRecord{term: 3, voteTerm: 2, cand: []byte("node-a")}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		rec, err := decodeVote(raw)
		if err != nil {
			require.ErrorIs(t, err, ErrForgotten)
			return
		}
		again, err := decodeVote(encodeVote(rec))
		require.NoError(t, err)
		require.Equal(t, rec, again)
	})
}

// Raft panics when a term cannot be written; the call keeps it waiting while
// the owner ends the process.
func TestUnwritableTermHoldsRaft(t *testing.T) {
	both(t, func(t *testing.T, kind string) {
		o := options(t.TempDir(), kind)
		o.OnFatal = func(error) {}
		o.hooks.termHold = 50 * time.Millisecond
		s, f := openFaulty(t, o)
		fill(t, s, 1, 3)
		f.onStore(func() error { return syscall.EIO })
		require.ErrorIs(t, s.Log().StoreLogs(entries(4, 4)), syscall.EIO)
		began := time.Now()
		require.ErrorIs(t, s.Stable().SetUint64([]byte(keyTerm), 9), ErrPoisoned)
		require.GreaterOrEqual(t, time.Since(began), o.hooks.termHold)
	})
}
