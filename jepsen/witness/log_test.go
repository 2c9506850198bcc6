package witness

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

func logOf(term uint64, indexes ...uint64) (log []history.Entry) {
	for _, i := range indexes {
		log = append(log, history.Entry{Index: i, Term: term, Commands: []history.Command{{Kind: "publish", Queue: "q"}}})
	}
	return log
}

func indexes(log []history.Entry) (all []uint64) {
	for _, e := range log {
		all = append(all, e.Index)
	}
	return all
}

func TestReadLog(t *testing.T) {
	want := logOf(3, 1, 2, 5)
	var paper strings.Builder
	for _, e := range want {
		require.NoError(t, json.NewEncoder(&paper).Encode(e))
	}
	got, err := ReadLog(strings.NewReader(paper.String()))
	require.NoError(t, err)
	require.Equal(t, want, got)

	_, err = ReadLog(strings.NewReader(paper.String() + `{"index":`))
	require.ErrorContains(t, err, "after 3 entries")
	_, err = ReadLog(strings.NewReader(paper.String() + `{"index":5}`))
	require.ErrorContains(t, err, "entry 5 after 5")
}

func TestMerge(t *testing.T) {
	all, holes, conflicts := Merge(logOf(1, 3, 4, 5), logOf(1, 2, 3, 8), nil, logOf(1, 4))
	require.Equal(t, []uint64{2, 3, 4, 5, 8}, indexes(all))
	require.Equal(t, []Range{{1, 1}, {6, 7}}, holes)
	require.Empty(t, conflicts)

	other := logOf(1, 1, 2)
	other[1].Term = 2
	all, _, conflicts = Merge(logOf(1, 1, 2), other)
	require.Equal(t, uint64(2), all[1].Term)
	require.Len(t, conflicts, 1)
	require.Equal(t, uint64(2), conflicts[0].Index)

	other = logOf(1, 1, 2)
	other[0].Commands[0].Queue = "r" // the same term, other bytes
	_, _, conflicts = Merge(logOf(1, 1, 2), other)
	require.Len(t, conflicts, 1)

	require.Equal(t, []uint64{3, 4}, indexes(UpTo(logOf(1, 3, 4, 5), 4)))
	require.Empty(t, UpTo(logOf(1, 3, 4, 5), 2))
	require.Equal(t, []uint64{3}, indexes(UpTo(logOf(1, 3), 9)))
}

// TestFill: a log that was moved aside proves as much of itself as it shares.
func TestFill(t *testing.T) {
	committed := append(logOf(1, 5, 6), logOf(2, 7, 8)...)
	aside := append(logOf(1, 3, 4, 5, 6), logOf(1, 7)...) // 7 was never committed
	require.Equal(t, append(logOf(1, 3, 4, 5, 6), logOf(2, 7, 8)...), Fill(committed, aside))
	require.Equal(t, committed, Fill(committed, logOf(9, 1, 2, 5)))
	require.Equal(t, committed, Fill(committed, nil))
}

func TestAgreement(t *testing.T) {
	logs := map[string][]history.Entry{"a": logOf(1, 1, 2, 3), "b": logOf(1, 1, 2, 3), "c": logOf(1, 2, 3)}
	v := Agreement(logs, 3, 5)
	require.Equal(t, check.Valid, v.Result, v)

	uncommitted := slices.Clone(logs["b"])
	uncommitted[2].Term = 7
	logs["b"] = uncommitted
	require.Equal(t, check.Valid, Agreement(logs, 2, 1).Result)
	v = Agreement(logs, 3, 5)
	require.Equal(t, int64(2), v.Found["conflict"], v) // with a, and with c
	require.Equal(t, map[string]int64{"vacuous": 1}, Agreement(logs, 2, 100).Found)
}
