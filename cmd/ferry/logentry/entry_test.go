package logentry

import (
	"encoding/binary"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// fenced is an entry that was meant for term 6.
func fenced(data []byte) *raft.Log {
	ext := binary.BigEndian.AppendUint32(nil, 0x46_54_45_31)
	return &raft.Log{Index: 9, Term: 7, Type: raft.LogCommand, Data: data, Extensions: binary.BigEndian.AppendUint64(ext, 6)}
}

func TestVoidEntries(t *testing.T) {
	e, err := Of(fenced(nil))
	require.NoError(t, err, "an entry without any content moves the end of the log")
	require.Equal(t, history.Entry{Index: 9, Term: 7, Void: true}, e)

	data := fsm.AppendEntryHeader(nil, 1, fsm.Clock{WallMillis: 2, LeaseMillis: 1}, 0)
	e, err = Of(fenced(data))
	require.NoError(t, err)
	require.Equal(t, history.Entry{Index: 9, Term: 7, WallMillis: 2, LeaseMillis: 1, Void: true}, e)

	l := fenced([]byte("junk"))
	_, err = Of(l)
	require.ErrorIs(t, err, fsm.ErrEntry)
}
