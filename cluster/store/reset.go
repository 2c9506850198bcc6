//go:build !wasip1

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Reset moves a group's folder aside to <dir>.old-<n>, so that the replica can
// be rebuilt clean, and removes older ones that it had moved aside before. It
// returns the new place, or "" if there was nothing to move. The store must be
// closed.
func Reset(dir string) (string, error) {
	dir = filepath.Clean(dir)
	found, err := exists(dir)
	if err != nil || !found {
		return "", err
	}
	lock, err := Lock(dir)
	if err != nil {
		return "", err
	}
	moved, err := moveAside(dir)
	return moved, errors.Join(err, lock.Close())
}

func moveAside(dir string) (string, error) {
	olds, highest, err := movedAside(dir)
	if err != nil {
		return "", err
	}
	to := fmt.Sprintf("%s.old-%d", dir, highest+1)
	if err := os.Rename(dir, to); err != nil {
		return "", err
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return to, err
	}
	// Only now: until the move is durable the older one is the only copy
	// outside the folder that is about to be rebuilt.
	for _, old := range olds {
		if err := os.RemoveAll(old); err != nil {
			return to, err
		}
	}
	return to, nil
}

// movedAside lists <dir>.old-<n> and the highest n.
func movedAside(dir string) (olds []string, highest int, err error) {
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), filepath.Base(dir)+".old-")
		if !ok {
			continue
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 {
			continue // not ours
		}
		olds = append(olds, filepath.Join(filepath.Dir(dir), e.Name()))
		highest = max(highest, n)
	}
	return olds, highest, nil
}
