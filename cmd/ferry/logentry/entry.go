package logentry

import (
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Of translates an entry of the log. One that is Raft's own (the first of a
// term, a change of members) has no commands.
func Of(l *raft.Log) (history.Entry, error) {
	e := history.Entry{Index: l.Index, Term: l.Term}
	if l.Type != raft.LogCommand {
		return e, nil
	}
	if e.Void = cluster.Void(l); e.Void && len(l.Data) == 0 {
		return e, nil // one that only moves the end of the log
	}
	head, commands, err := fsm.DecodeEntry(l.Data)
	if err != nil {
		return e, fmt.Errorf("entry %d: %w", l.Index, err)
	}
	e.WallMillis, e.LeaseMillis = head.Clock.WallMillis, head.Clock.LeaseMillis
	for _, x := range commands {
		e.Commands = append(e.Commands, command(x))
	}
	return e, nil
}
