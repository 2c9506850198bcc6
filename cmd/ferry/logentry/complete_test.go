package logentry

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/transport/wire"
)

// examples are one command of every kind.
var examples = []fsm.Command{
	&fsm.Leader{}, &fsm.DetachNode{}, &fsm.Open{}, &fsm.Attach{}, &fsm.Detach{}, &fsm.End{}, &fsm.Publish{}, &fsm.Settle{},
	&fsm.Consume{}, &fsm.Cancel{}, &fsm.Credit{}, &fsm.QueueCreate{}, &fsm.QueueUpdate{}, &fsm.QueueDelete{},
	&fsm.QueuePurge{}, &fsm.QueuePause{}, &fsm.SetVersion{}, &fsm.Checkpoint{}, &fsm.Commit{}, &fsm.Amend{}, &fsm.Breaker{},
	&fsm.GroupResume{}, &fsm.TenantWeight{}, &fsm.TopicCreate{}, &fsm.TopicDelete{}, &fsm.Subscribe{}, &fsm.Request{},
	&fsm.Reply{}, &fsm.Await{},
}

// A command's every field is seen in its translation: two logs that differ
// anywhere differ in their words. What the state machine does not judge by is
// left out, and so are secrets.
func TestEveryFieldIsTranslated(t *testing.T) {
	kinds := map[fsm.Kind]bool{}
	for _, c := range examples {
		kinds[c.Kind()] = true
		full := reflect.ValueOf(c).Elem()
		fill(full)
		want := command(c)
		require.NotEmpty(t, want.Kind, "%T", c)
		eachField(full, fmt.Sprintf("%T", c), func(path string, f reflect.Value) {
			if strings.HasSuffix(path, ".Principal") || strings.HasSuffix(path, ".Secret") {
				return
			}
			old := reflect.New(f.Type()).Elem()
			old.Set(f)
			f.SetZero()
			require.NotEqual(t, want, command(c), path)
			f.Set(old)
		})
		require.Equal(t, want, command(c))
	}
	require.Len(t, kinds, int(fsm.KindAwait), "every kind has an example")
}

// fill sets every field to something.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[[]byte]() {
			v.SetBytes(recordsOf(&record.Message{Body: []byte("body")}))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Array:
		v.Index(0).SetUint(1)
	default:
		if v.CanInt() {
			v.SetInt(1)
		} else {
			v.SetUint(1)
		}
	}
}

// eachField visits what is no struct, also within slices.
func eachField(v reflect.Value, path string, visit func(path string, f reflect.Value)) {
	for i := range v.NumField() {
		f, at := v.Field(i), path+"."+v.Type().Field(i).Name
		switch {
		case f.Kind() == reflect.Struct:
			eachField(f, at, visit)
			continue
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			eachField(f.Index(0), at, visit)
		}
		visit(at, f)
	}
}

func recordsOf(all ...*record.Message) (records []byte) {
	for _, m := range all {
		b, err := record.Append(nil, m)
		if err != nil {
			panic(err) // the test's own message
		}
		records = wire.AppendBytes(records, b)
	}
	return records
}

// The attributes of each message stand beside its body.
func TestAttributes(t *testing.T) {
	priority := uint8(0)
	with := &record.Message{Body: []byte("p1-2 .."), GroupKey: "g", Priority: &priority, TTLMillis: 1, DelayMillis: 2,
		DeliverAtMillis: 3, DedupID: "d", Tenant: "t", Subject: "s.u", ReplyTo: "r", DeadlineMillis: 4,
		ContentType: "text/plain", CorrelationID: "c"}
	plain := &record.Message{Body: []byte("p1-1")}
	want := history.Messages{
		Bodies: []string{"p1-1", "p1-2 .."}, Sizes: []int{4, 7},
		Attributes: []history.Attributes{{}, {Priority: &priority, Group: "g", TTLMillis: 1, DelayMillis: 2,
			DeliverAtMillis: 3, DedupID: "d", Tenant: "t", Subject: "s.u", ReplyTo: "r", DeadlineMillis: 4}},
	}
	require.Equal(t, want, messages(recordsOf(plain, with), 2))
	require.Equal(t, history.Messages{Bodies: []string{"p1-1"}, Sizes: []int{4}}, messages(recordsOf(plain), 1), "none has any")

	junk := wire.AppendBytes(recordsOf(with), []byte("junk"))
	got := messages(junk, 2)
	require.Equal(t, []int{7, -1}, got.Sizes)
	require.Equal(t, []string{"p1-2 ..", ""}, got.Bodies)
	got = messages(append(junk, 0), 2)
	require.Equal(t, history.Messages{Bodies: []string{"", ""}, Sizes: []int{-1, -1}}, got, "it is refused as a whole")
}

// A commit keeps what it publishes apart by where it goes.
func TestCommitEntry(t *testing.T) {
	data := fsm.AppendEntryHeader(nil, 1, fsm.Clock{WallMillis: 2, LeaseMillis: 1}, 1)
	data = fsm.Append(data, &fsm.Commit{
		OpHeader: fsm.OpHeader{Epoch: 1, Number: 7},
		Settles:  []fsm.SettleItem{{Incarnation: 1, Place: 2, Token: 3, Action: fsm.ActionNack, Reason: fsm.ReasonDownstream, DelayMillis: 5, Error: "e"}},
		Publishes: []fsm.CommitPublish{
			{Queue: "a", Count: 1, Records: recordsOf(&record.Message{Body: []byte("1")})},
			{Queue: "b", Count: 2, Records: recordsOf(&record.Message{Body: []byte("2")}, &record.Message{Body: []byte("3")})},
		},
	})
	e, err := Of(&raft.Log{Index: 9, Term: 7, Type: raft.LogCommand, Data: data})
	require.NoError(t, err)
	c := e.Commands[0]
	require.Equal(t, "commit", c.Kind)
	require.Equal(t, []history.Item{{Incarnation: 1, Place: 2, Token: 3, Action: "nack", Reason: "downstream", DelayMillis: 5, Error: "e"}}, c.Items)
	require.Equal(t, []history.Publishing{
		{Queue: "a", Messages: history.Messages{Bodies: []string{"1"}, Sizes: []int{1}}},
		{Queue: "b", Messages: history.Messages{Bodies: []string{"2", "3"}, Sizes: []int{1, 1}}},
	}, c.Publishes)
}
