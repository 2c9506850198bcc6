//go:build linux

package jepsen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/witness"
)

// agreeFloor is how many entries have to stand in two logs or more. One of
// three nodes keeps little of its log.
const agreeFloor = 100

// committed reads the logs of the stopped nodes and joins them: what stands in
// any of them up to the index that all have applied is committed. It also
// judges whether the logs agree.
func (a *arena) committed(ctx context.Context, replicas []history.Replica) ([]history.Entry, check.Verdict, error) {
	if len(replicas) == 0 {
		return nil, check.Verdict{}, errors.New("no replica told how far it is")
	}
	applied := replicas[0].Applied
	logs := map[string][]history.Entry{}
	asides := make([][][]history.Entry, len(a.machines))
	own := make([][]history.Entry, len(a.machines))
	errs := make([]error, len(a.machines))
	var all sync.WaitGroup
	for i, m := range a.machines {
		all.Go(func() { own[i], asides[i], errs[i] = a.logsOf(ctx, m) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, check.Verdict{}, err
	}
	var each [][]history.Entry
	for i, m := range a.machines {
		log := witness.UpTo(own[i], applied)
		logs[m.Name] = log
		each = append(each, log)
	}
	entries, _, _ := witness.Merge(each...)
	for _, olds := range asides {
		for _, old := range olds {
			entries = witness.Fill(entries, old)
		}
	}
	return entries, witness.Agreement(logs, applied, agreeFloor), nil
}

// logsOf reads the log of a node, and those that rebuilds moved aside.
func (a *arena) logsOf(ctx context.Context, m *machine) (own []history.Entry, aside [][]history.Entry, err error) {
	if own, err = a.dump(ctx, m, 0); err != nil {
		return nil, nil, err
	}
	olds, err := filepath.Glob(filepath.Join(m.Data, "group-0.old-*"))
	if err != nil {
		return nil, nil, err
	}
	for _, dir := range olds {
		n, err := strconv.Atoi(dir[strings.LastIndexByte(dir, '-')+1:])
		if err != nil {
			return nil, nil, err
		}
		log, err := a.dump(ctx, m, n)
		if err != nil {
			a.tell("%v", err) // it was moved aside because it is bad
		}
		aside = append(aside, log)
	}
	return own, aside, nil
}

// dump has the program under test print a log. It may print a part of one and
// say that the rest is corrupt.
func (a *arena) dump(ctx context.Context, m *machine, old int) ([]history.Entry, error) {
	c := exec.CommandContext(ctx, a.o.Binary, "log", "dump", "--data", m.Data, "--old", strconv.Itoa(old))
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	entries, bad := witness.ReadLog(out)
	if err := errors.Join(bad, c.Wait()); err != nil {
		return entries, fmt.Errorf("log of %s (%d): %w: %s", m.Name, old, err, strings.TrimSpace(said.String()))
	}
	return entries, nil
}

// logsIn are the nodes' own logs in a run's folder, by name.
func logsIn(dir string) map[string]string {
	logs := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		return nil // the pattern is constant and well formed
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err == nil {
			logs[filepath.Base(path)] = path
		}
	}
	return logs
}
