package store

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

var (
	rotSeed  = flag.Uint64("rot-seed", 0, "which bits TestRotOfAnyFile flips; 0: another one each time")
	rotFlips = flag.Int("rot-flips", flipsDefault, "how many bits of each file it flips")
)

const (
	rotLast     = 32 // entries
	rotSnapshot = 12 // the index of the first snapshot; the second one's is twice that
	rotKept     = 8  // the log begins here
	rotDeadline = time.Minute
)

// rotConfiguration is what the snapshots know of the group.
var rotConfiguration = raft.Configuration{Servers: []raft.Server{
	{Suffrage: raft.Voter, ID: "a-0badcafe", Address: "a/127.0.0.1:7700"},
	{Suffrage: raft.Nonvoter, ID: "b-0badcafe", Address: "b/127.0.0.1:7701"},
}}

func rotSnapshotAt(t *testing.T, s *Store, index, term uint64) {
	t.Helper()
	_, trans := raft.NewInmemTransport("")
	sink, err := s.Snapshots().Create(1, index, term, rotConfiguration, 1, trans)
	require.NoError(t, err)
	_, err = sink.Write([]byte("state"))
	require.NoError(t, err)
	require.NoError(t, sink.Close())
}

// makeRotFolder makes a store of every kind of file.
func makeRotFolder(t *testing.T, kind string, snapshots int) Options {
	t.Helper()
	o := options(t.TempDir(), kind)
	o.SegmentBytes = segmentBytesMin // holds about five entries
	s := open(t, o)
	vote(t, s, 3, "somebody")
	for i := uint64(1); i <= rotLast; i++ {
		require.NoError(t, s.Log().StoreLog(large(i)))
		if i%rotSnapshot == 0 && i/rotSnapshot <= uint64(snapshots) {
			rotSnapshotAt(t, s, i, 3)
		}
	}
	if snapshots > 0 {
		require.NoError(t, s.Log().DeleteRange(1, rotKept-1))
	}
	require.NoError(t, s.Close())
	return o
}

// damage is what happens to a file.
type damage struct {
	file string // within the folder
	what string
	do   func(raw []byte) []byte
}

// flips of a file: bits where something is written, mostly.
func flips(file string, raw []byte, n int, r *rand.Rand) (all []damage) {
	var used []int
	for i, b := range raw {
		if b != 0 {
			used = append(used, i)
		}
	}
	for i := range n {
		at := r.IntN(len(raw))
		if i%8 != 0 && len(used) > 0 {
			at = used[r.IntN(len(used))]
		}
		bit := byte(1) << r.IntN(8)
		all = append(all, damage{file, fmt.Sprintf("bit %#x of byte %d", bit, at), func(raw []byte) []byte {
			raw[at] ^= bit
			return raw
		}})
	}
	return all
}

// cuts of a file: to nothing, to a page, to somewhere.
func cuts(file string, raw []byte, r *rand.Rand) (all []damage) {
	for _, to := range []int{0, 4096, 8192, len(raw) / 2 &^ 4095, r.IntN(len(raw)), len(raw) - 1} {
		if to < len(raw) {
			all = append(all, damage{file, fmt.Sprintf("cut to %d bytes", to), func(raw []byte) []byte { return raw[:to] }})
		}
	}
	return all
}

// damages lists what is done to the files of a folder, each alone.
func damages(t *testing.T, dir string, r *rand.Rand) (all []damage) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == lockFile {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := filepath.Rel(dir, path)
		if len(raw) > 0 {
			all = append(all, flips(file, raw, *rotFlips, r)...)
			all = append(all, cuts(file, raw, r)...)
		}
		all = append(all, damage{file: file, what: "gone"})
		return err
	}))
	return all
}

// TestRotOfAnyFile damages one file of a store and opens it. It opens with what
// it held, perhaps without a snapshot that the log can do without, or it has
// forgotten; it never says anything else, hangs, or ends the process.
func TestRotOfAnyFile(t *testing.T) {
	seed := *rotSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	for _, snapshots := range []int{0, 2} {
		t.Run(fmt.Sprint(snapshots, " snapshots"), func(t *testing.T) {
			both(t, func(t *testing.T, kind string) {
				o := makeRotFolder(t, kind, snapshots)
				var kept, forgotten int
				for _, d := range damages(t, o.Dir, rand.New(rand.NewPCG(seed, uint64(snapshots)))) {
					if openDamaged(t, o, d, snapshots) {
						kept++
					} else {
						forgotten++
					}
				}
				t.Logf("%d opened with all they held, %d had forgotten", kept, forgotten)
				require.Positive(t, kept)
				require.Positive(t, forgotten)
			})
		})
	}
}

// openDamaged tells whether the store opened.
func openDamaged(t *testing.T, o Options, d damage, snapshots int) bool {
	t.Helper()
	o.Dir = crash(t, o.Dir)
	defer os.RemoveAll(o.Dir)
	path := filepath.Join(o.Dir, d.file)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	if d.do == nil {
		require.NoError(t, os.Remove(path))
	} else {
		require.NoError(t, os.WriteFile(path, d.do(raw), 0o600))
	}
	what := d.file + ": " + d.what

	start := time.Now()
	var log raft.Log
	readErr := ReadLog(o.Dir, 0, 0, func(l *raft.Log) error { // changes nothing, and sees nothing that was not there
		if string(l.Data) != string(large(l.Index).Data) {
			return fmt.Errorf("entry %d is not what was stored", l.Index)
		}
		return nil
	})
	require.False(t, readErr != nil && strings.Contains(readErr.Error(), "not what was stored"), "%s: %v", what, readErr)

	s, err := Open(o)
	require.Less(t, time.Since(start), rotDeadline, what)
	if err != nil {
		require.ErrorIs(t, err, ErrForgotten, what)
		moved, err := Reset(o.Dir)
		require.NoError(t, err, what)
		require.NoError(t, os.RemoveAll(moved))
		return false
	}
	first, err := s.Log().FirstIndex()
	require.NoError(t, err, what)
	last, err := s.Log().LastIndex()
	require.NoError(t, err, what)
	require.EqualValues(t, rotLast, last, what)
	wantFirst := uint64(1)
	if snapshots > 0 {
		wantFirst = rotKept
	}
	// An older root of bbolt may still have entries that were deleted behind a
	// snapshot; they are good ones.
	require.LessOrEqual(t, first, wantFirst, what)
	for i := first; i <= last; i++ {
		err := s.Log().GetLog(i, &log)
		if errors.Is(err, raft.ErrLogNotFound) && o.LogStore == LogStoreBolt && i <= s.snaps.lastIndex() {
			continue // a hole behind a snapshot, as one that a leader sent leaves it
		}
		require.NoError(t, err, what)
		require.Equal(t, large(i).Data, log.Data, what)
	}
	term, err := s.Stable().GetUint64([]byte(keyTerm))
	require.NoError(t, err, what)
	require.EqualValues(t, 3, term, what)
	candidate, err := s.Stable().Get([]byte(keyVoteCand))
	require.NoError(t, err, what)
	require.Equal(t, "somebody", string(candidate), what)
	requireWholeSnapshots(t, s, snapshots, what)

	// And it goes on.
	require.NoError(t, s.Log().StoreLog(large(rotLast+1)), what)
	require.NoError(t, s.Stable().SetUint64([]byte(keyTerm), 4), what)
	rotSnapshotAt(t, s, rotLast+1, 4)
	require.NoError(t, s.Close(), what)
	s, err = Open(o)
	require.NoError(t, err, what)
	last, err = s.Log().LastIndex()
	require.NoError(t, err, what)
	require.EqualValues(t, rotLast+1, last, what)
	require.NoError(t, s.Close(), what)
	return true
}

// requireWholeSnapshots: those that are listed are as they were made.
func requireWholeSnapshots(t *testing.T, s *Store, most int, what string) {
	t.Helper()
	metas, err := s.Snapshots().List()
	require.NoError(t, err, what)
	require.LessOrEqual(t, len(metas), most, what)
	for i, m := range metas {
		require.Contains(t, []uint64{rotSnapshot, 2 * rotSnapshot}, m.Index, what)
		require.EqualValues(t, 3, m.Term, what)
		require.EqualValues(t, 1, m.ConfigurationIndex, what)
		require.Equal(t, rotConfiguration, m.Configuration, what)
		require.EqualValues(t, len("state"), m.Size, what)
		if i > 0 {
			continue // its state is looked at when the newer ones are bad
		}
		_, body, err := s.Snapshots().Open(m.ID)
		require.NoError(t, err, what)
		require.NoError(t, body.Close(), what)
	}
}
