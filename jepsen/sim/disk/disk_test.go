package disk

import (
	"io/fs"
	"log/slog"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/cluster/store"
)

const fsync = 2 * time.Millisecond

// open opens the product's stores on a disk.
func open(t *testing.T, d *Disk, existing bool) (*store.Store, error) {
	t.Helper()
	return store.OpenOn(d.Open(), store.Options{Existing: existing, Logger: slog.New(slog.DiscardHandler)})
}

// life opens the stores, uses them, and closes them.
func life(t *testing.T, d *Disk, existing bool, use func(*store.Store)) {
	t.Helper()
	s, err := open(t, d, existing)
	require.NoError(t, err)
	use(s)
	require.NoError(t, s.Close())
}

func entries(from, to uint64) (logs []*raft.Log) {
	for i := from; i <= to; i++ {
		logs = append(logs, &raft.Log{Index: i, Term: 1, Data: []byte("some entry")})
	}
	return logs
}

func last(t *testing.T, s *store.Store) uint64 {
	t.Helper()
	index, err := s.Log().LastIndex()
	require.NoError(t, err)
	return index
}

func TestWhatWasConfirmedSurvivesPowerLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(1, fsync)
		s, err := open(t, d, false)
		require.NoError(t, err)
		began := time.Now()
		require.NoError(t, s.Log().StoreLogs(entries(1, 20)))
		require.GreaterOrEqual(t, time.Since(began), fsync/2)
		require.NoError(t, s.Stable().SetUint64([]byte("CurrentTerm"), 3))
		d.Crash(true)
		require.NoError(t, s.Log().StoreLogs(entries(21, 30)), "a process that is dead learns nothing")
		require.NoError(t, s.Close())
		life(t, d, true, func(s *store.Store) {
			require.EqualValues(t, 20, last(t, s))
			term, err := s.Stable().GetUint64([]byte("CurrentTerm"))
			require.NoError(t, err)
			require.EqualValues(t, 3, term)
		})
	})
}

// crashes begins an append and pulls the plug in its middle, with many seeds,
// and tells how many entries were there after the next start.
func crashes(t *testing.T, power bool) (ends map[uint64]int, all Counts) {
	ends = map[uint64]int{}
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			d := New(seed, fsync)
			s, err := open(t, d, false)
			require.NoError(t, err)
			require.NoError(t, s.Log().StoreLogs(entries(1, 10)))
			time.Sleep(time.Second) // the watermark follows
			appended := make(chan error, 1)
			go func() { appended <- s.Log().StoreLogs(entries(11, 14)) }()
			time.Sleep(fsync / 4)
			d.Crash(power)
			require.NoError(t, <-appended)
			require.NoError(t, s.Close())
			life(t, d, true, func(s *store.Store) { ends[last(t, s)]++ })
			c := d.Counts()
			all.Lost, all.Torn, all.Kept = all.Lost+c.Lost, all.Torn+c.Torn, all.Kept+c.Kept
		})
	}
	return ends, all
}

// The stores cut what a torn write left: whatever remains is a prefix.
func TestPowerLossTearsWhatIsUnderWay(t *testing.T) {
	ends, all := crashes(t, true)
	for end := uint64(10); end <= 14; end++ {
		require.Positive(t, ends[end], "no crash left %d entries: %v", end, ends)
	}
	require.Len(t, ends, 5)
	require.Positive(t, all.Torn)
	require.Positive(t, all.Lost)
}

func TestDeathOfTheProcessTearsNothing(t *testing.T) {
	ends, all := crashes(t, false)
	require.Len(t, ends, 2)
	require.Positive(t, ends[10])
	require.Positive(t, ends[14])
	require.Zero(t, all.Torn)
}

func TestRefusedWritesPoison(t *testing.T) {
	for name, f := range map[string]Faults{
		"full": {Write: syscall.ENOSPC}, "broken": {Write: syscall.EIO}, "fsync": {Sync: syscall.EIO},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := New(2, fsync)
				s, err := open(t, d, false)
				require.NoError(t, err)
				d.SetFaults(f)
				var path *fs.PathError
				require.ErrorAs(t, s.Log().StoreLogs(entries(1, 1)), &path)
				require.ErrorIs(t, s.Log().StoreLogs(entries(1, 1)), store.ErrPoisoned)
				require.EqualValues(t, 1, d.Counts().Failed)
				d.SetFaults(Faults{})
				require.NoError(t, s.Close())
				life(t, d, true, func(*store.Store) {})
			})
		})
	}
}

func TestSlowAndHangingFsync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(3, fsync)
		s, err := open(t, d, false)
		require.NoError(t, err)
		d.SetFaults(Faults{Slow: time.Second})
		began := time.Now()
		require.NoError(t, s.Log().StoreLogs(entries(1, 1)))
		require.GreaterOrEqual(t, time.Since(began), time.Second)
		d.SetFaults(Faults{Slow: time.Hour})
		began = time.Now()
		go func() {
			time.Sleep(5 * time.Second)
			d.SetFaults(Faults{})
		}()
		require.NoError(t, s.Log().StoreLogs(entries(2, 2)), "what hung goes on")
		require.Equal(t, 5*time.Second, time.Since(began))
		d.SetFaults(Faults{Slow: time.Hour})
		require.ErrorIs(t, s.Log().StoreLogs(entries(3, 3)), store.ErrHung)
		d.Crash(false)
		require.NoError(t, s.Close())
	})
}

// Whatever rots, the next start notices, and never serves it.
func TestRotIsFound(t *testing.T) {
	for _, place := range []Place{Log, Vote, Mark, Snapshots} {
		t.Run(string(place), func(t *testing.T) {
			for seed := range uint64(40) {
				synctest.Test(t, func(t *testing.T) {
					d := New(seed, fsync)
					life(t, d, false, func(s *store.Store) {
						require.NoError(t, s.Stable().SetUint64([]byte("CurrentTerm"), 3))
						require.NoError(t, s.Log().StoreLogs(entries(1, 20)))
						sink, err := s.Snapshots().Create(1, 15, 1, raft.Configuration{}, 1, nil)
						require.NoError(t, err)
						_, err = sink.Write([]byte("a state"))
						require.NoError(t, err)
						require.NoError(t, sink.Close())
						require.NoError(t, s.Log().DeleteRange(1, 10))
						time.Sleep(time.Second)
						require.NoError(t, s.Log().StoreLogs(entries(21, 22)))
					})
					require.NotEmpty(t, d.Rot(place))
					s, err := open(t, d, true)
					require.ErrorIs(t, err, store.ErrForgotten)
					require.Nil(t, s)
				})
			}
		})
	}
}

// Only what goes from the front is told: the rest was never committed.
func TestTellsOfWhatIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(4, fsync)
		var cut []uint64
		d.OnCut(func(logs []raft.Log) {
			for _, l := range logs {
				cut = append(cut, l.Index)
			}
		})
		life(t, d, false, func(s *store.Store) {
			require.NoError(t, s.Log().StoreLogs(entries(1, 9)))
			require.NoError(t, s.Log().DeleteRange(1, 4))
			require.NoError(t, s.Log().DeleteRange(8, 9))
		})
		require.Equal(t, []uint64{1, 2, 3, 4}, cut)
		require.Len(t, d.Entries(), 3)
	})
}
