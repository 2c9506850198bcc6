//go:build linux

package ferryfs

import (
	"strings"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
)

// The kernel is told what to forget. That must not happen while a call is being
// answered: it may hold a lock that this would wait for. Errors only say that
// it did not know the thing in the first place.

// dropPages lets the kernel forget the bytes of every file below a folder.
func dropPages(n *fusefs.Inode) {
	for _, child := range n.Children() {
		dropPages(child)
	}
	_ = n.NotifyContent(0, 0)
}

// dropNames lets it forget the names too, and the library with it, so that
// everything is looked up again.
func dropNames(n *fusefs.Inode) {
	for name, child := range n.Children() {
		dropNames(child)
		_ = n.NotifyEntry(name)
		n.RmChild(name)
	}
	_ = n.NotifyContent(0, 0)
}

// dropFile lets it forget the bytes of one file.
func (f *FS) dropFile(name string) {
	n := f.root.EmbeddedInode()
	for part := range strings.SplitSeq(name, "/") {
		if n = n.GetChild(part); n == nil {
			return
		}
	}
	_ = n.NotifyContent(0, 0)
}
