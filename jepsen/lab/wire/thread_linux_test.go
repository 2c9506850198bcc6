package wire

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// However many there are at once, each thread is another, and none the first.
func TestOwnThreadIsNeverTheFirst(t *testing.T) {
	const many = 50
	var mu sync.Mutex
	seen := map[int]bool{}
	var all sync.WaitGroup
	all.Add(many)
	for range many {
		OwnThread(func() {
			mu.Lock()
			seen[unix.Gettid()] = true
			mu.Unlock()
			all.Done()
			all.Wait()
		})
	}
	all.Wait()
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, seen, many)
	require.NotContains(t, seen, unix.Getpid())
}
