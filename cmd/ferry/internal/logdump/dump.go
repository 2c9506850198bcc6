package logdump

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/cluster/store"
)

// Options say which log, and how much of it.
type Options struct {
	Data  string // the data folder of a node
	Group uint32
	Old   int    // not 0: the log that a rebuild moved aside to group-G.old-N
	From  uint64 // 0: the first
	To    uint64 // 0: the last
}

// folder of the group's stores.
func (o Options) folder() string {
	name := fmt.Sprintf("group-%d", o.Group)
	if o.Old != 0 {
		name = fmt.Sprintf("%s.old-%d", name, o.Old)
	}
	return filepath.Join(o.Data, name)
}

// ErrNoLog means that there is no log where it was looked for.
var ErrNoLog = errors.New("no log")

// Dump writes the entries to out. Its errors are ErrNoLog, and those of
// store.ReadLog: what could be read is written before them.
func Dump(ctx context.Context, o Options, out io.Writer) error {
	if err := there(o); err != nil {
		return err
	}
	lock, err := store.LockShared(o.Data)
	if err != nil {
		return err
	}
	err = dump(ctx, o, out)
	return errors.Join(err, lock.Close())
}

func dump(ctx context.Context, o Options, out io.Writer) error {
	w := bufio.NewWriterSize(out, 64<<10)
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	err := store.ReadLog(o.folder(), o.From, o.To, func(l *raft.Log) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := Entry(l)
		if err != nil {
			return err
		}
		return lines.Encode(e)
	})
	if errors.Is(err, store.ErrNoLog) {
		err = fmt.Errorf("%w: %w", ErrNoLog, err)
	}
	return errors.Join(err, w.Flush())
}

// there says of a folder that is missing which ones are there.
func there(o Options) error {
	_, err := os.Stat(o.folder())
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return err
	}
	found, err := filepath.Glob(filepath.Join(o.Data, "group-*"))
	if err != nil || len(found) == 0 {
		return fmt.Errorf("%w: %s does not exist", ErrNoLog, o.folder())
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	return fmt.Errorf("%w: %s does not exist; in %s are %s",
		ErrNoLog, filepath.Base(o.folder()), o.Data, strings.Join(found, ", "))
}
