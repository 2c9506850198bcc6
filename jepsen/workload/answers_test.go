package workload

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

func TestReceiptsFindTheirOperation(t *testing.T) {
	a := newAnswers()
	a.take(client.Answer{Op: "publish", Resource: "q", Group: 1, Index: 7, Position: 0, Number: 3, Sends: 1})
	a.take(client.Answer{Op: "publish", Resource: "q", Group: 1, Index: 7, Position: 5, Number: 4, Sends: 2})
	for position, number := range map[uint32]uint64{0: 3, 4: 3, 5: 4, 9: 4} {
		var o history.Op
		a.receipt(&o, client.MessageID{Group: 1, Index: 7, Position: position})
		require.Equal(t, number, o.Number, "position %d", position)
		require.Equal(t, history.Witness{Group: 1, Index: 7, Position: position}, o.At)
	}
}

func TestReceiptsAreForgottenInTheEnd(t *testing.T) {
	a := newAnswers()
	for i := range uint64(answersKept + 10) {
		a.take(client.Answer{Op: "publish", Index: i + 1, Number: i + 1})
	}
	require.Len(t, a.published, answersKept)
	var o history.Op
	a.receipt(&o, client.MessageID{Index: answersKept + 10})
	require.EqualValues(t, answersKept+10, o.Number)
}

func TestSettlesFindTheirAnswerByToken(t *testing.T) {
	a := newAnswers()
	a.expect(settling{token: 11})
	a.expect(settling{token: 12, extend: true})
	x := client.Answer{Op: "settle", Group: 1, Index: 9, Position: 2, Number: 6, Sends: 1, Tokens: []uint64{10, 11, 12, 12}}
	x.Actions = append(x.Actions, 1, 1, 1, actionExtend)
	a.take(x)
	require.Equal(t, settled{history.Witness{Group: 1, Index: 9, Position: 3}, 6, 1}, a.forget(settling{token: 11}))
	require.Equal(t, settled{history.Witness{Group: 1, Index: 9, Position: 5}, 6, 1}, a.forget(settling{12, true}))
	require.Equal(t, settled{}, a.forget(settling{token: 10}))
	require.Empty(t, a.settles)
}

func TestALateAnswerIsNotTheLatest(t *testing.T) {
	a := newAnswers()
	a.take(client.Answer{Op: "pause queue", Resource: "q", Index: 20, Number: 5})
	a.take(client.Answer{Op: "pause queue", Resource: "q", Index: 19, Number: 4})
	a.take(client.Answer{Op: "pause queue", Resource: "other", Index: 30, Number: 9})
	var o history.Op
	a.answer(&o, "pause queue", "q")
	require.EqualValues(t, 5, o.Number)
	require.EqualValues(t, 20, o.At.Index)
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want history.Outcome
		code string
	}{
		{nil, history.OK, ""},
		{&client.Error{Code: 5}, history.Fail, "busy"},
		{&client.Error{Code: 4}, history.Fail, "lease_lost"},
		{&client.Error{Code: 256}, history.Unknown, ""},
		{fmt.Errorf("wrapped: %w", client.ErrUnknownOutcome), history.Unknown, ""},
		{errors.New("not the client's"), history.Unknown, ""},
	} {
		var o history.Op
		refused(&o, c.err)
		require.Equal(t, c.want, OutcomeOf(c.err), "%v", c.err)
		require.Equal(t, c.code, o.Code, "%v", c.err)
	}
	require.False(t, expected(&client.Error{Code: 4}))
	require.True(t, expected(&client.Error{Code: 4}, client.ErrLeaseLost))
	require.False(t, expected(&client.Error{Code: 13}, client.ErrLeaseLost))
}
