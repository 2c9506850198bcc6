package store

import (
	"fmt"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// BenchmarkStoreLogs appends one entry per call, so each is one fsync of the
// log: the cost that a commit pays twice (leader, then follower).
func BenchmarkStoreLogs(b *testing.B) {
	for _, kind := range []string{LogStoreWAL, LogStoreBolt} {
		for _, size := range []int{1 << 10, 256 << 10} {
			b.Run(fmt.Sprintf("%s/%dKiB", kind, size>>10), func(b *testing.B) {
				o := options(b.TempDir(), kind)
				o.SegmentBytes = defaultSegmentBytes
				s, err := Open(o)
				require.NoError(b, err)
				data := make([]byte, size)
				b.SetBytes(int64(size))
				for i := uint64(1); b.Loop(); i++ {
					if err := s.Log().StoreLog(&raft.Log{Index: i, Term: 1, Data: data}); err != nil {
						b.Fatal(err)
					}
				}
				require.NoError(b, s.Close())
			})
		}
	}
}

// BenchmarkGetLog reads entries as a follower that catches up is sent them.
func BenchmarkGetLog(b *testing.B) {
	for _, kind := range []string{LogStoreWAL, LogStoreBolt} {
		b.Run(kind, func(b *testing.B) {
			s, err := Open(options(b.TempDir(), kind))
			require.NoError(b, err)
			const n = 256
			for i := uint64(1); i <= n; i++ {
				require.NoError(b, s.Log().StoreLog(&raft.Log{Index: i, Term: 1, Data: make([]byte, 16<<10)}))
			}
			b.SetBytes(16 << 10)
			i := uint64(0)
			for b.Loop() {
				var log raft.Log
				if err := s.Log().GetLog(i%n+1, &log); err != nil {
					b.Fatal(err)
				}
				i++
			}
			require.NoError(b, s.Close())
		})
	}
}
