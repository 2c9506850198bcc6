package logdump

import (
	"github.com/hashicorp/raft"

	"github.com/ferrymq/ferrymq/cmd/ferry/logentry"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Entry translates an entry of the log.
func Entry(l *raft.Log) (history.Entry, error) { return logentry.Of(l) }
