package transport

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/ferrymq/ferrymq/transport/wire"
)

// body is what every struct of the vocabulary can do.
type body interface {
	AppendTo(dst []byte) []byte
	Decode(payload []byte) error
}

// sample is a frame of which the bytes are fixed in testdata/golden.
type sample struct {
	name   string
	op     Op
	stream uint32
	body   body // nil for an empty payload
	empty  func() body
}

func of[T any, P interface {
	*T
	body
}](name string, op Op, stream uint32, v T) sample {
	return sample{name: name, op: op, stream: stream, body: P(&v), empty: func() body { return P(new(T)) }}
}

func (s sample) payload() []byte {
	if s.body == nil {
		return nil
	}
	return s.body.AppendTo(nil)
}

func (s sample) frame() []byte {
	return AppendFrame(nil, Frame{Op: s.op, Stream: s.stream, Payload: s.payload()})
}

func hexFile(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return b
}

var (
	sampleSession = SessionID{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	sampleSecret  = Secret{16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}
	sampleCluster = [16]byte{0xfe, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}
	sampleGroup   = GroupInfo{Group: 0, Leader: "node-2", LeaderAddr: "127.0.0.1:7701", Term: 7}
	sampleHeader  = OpHeader{Handle: 1, Number: 42, AnsweredThrough: 40}
)

// samples has at least one frame for every op.
func samples(t testing.TB) []sample {
	record := hexFile(t, "../fsm/record/testdata/golden/plain.hex")
	rich := hexFile(t, "../fsm/record/testdata/golden/rich.hex")
	delivery := Delivery{
		Handle: 1, Consumer: 3, Incarnation: 12, Place: 5, Token: 99, Group: 0, Index: 1001, Position: 0,
		Attempt: 1, LeaseMs: 60000, EnqueuedMs: 1767225600000, Record: record,
	}
	dead := delivery
	dead.Place, dead.Attempt, dead.Failures = 6, 11, 0
	dead.Death = &Death{Queue: "jobs", Reason: "failures", Attempts: 10, Failures: 10, Error: "boom", AtMs: 1767225660000}
	results := []Result{
		{Stream: 8, Index: 1001, Position: 2},
		{Stream: 9, Code: CodeBusy, Cause: CauseMessages, RetryAfterMs: 250, Detail: "queue jobs is full"},
		{Stream: 10, Index: 1002, Position: 4, Items: []Verdict{{}, {Code: CodeLeaseLost, Cause: CauseExpired}}},
	}
	settings := QueueSettings{MaxMessages: 100000, MaxBytes: 1 << 30, FailureLimit: FailureLimitUnlimited, LeaseMs: 30000}
	nodes := []NodeInfo{{Node: "node-1", ClientAddr: "127.0.0.1:7700"}, {Node: "node-2", ClientAddr: "127.0.0.1:7701"}}
	out := []sample{
		of("hello", OpHello, 1, Hello{VersionMin: 1, VersionMax: 1, Client: "ferry-go/1.0", Name: "billing", FrameMax: FrameMax, HeartbeatMs: 10000, AuthData: []byte{}}),
		of("hellook", OpHelloOK, 1, HelloOK{Version: 1, ClusterID: sampleCluster, Node: "node-1", FrameMax: FrameMax, MessageMax: MessageMax,
			MessagesMax: MessagesMax, WindowMax: WindowMax, HeartbeatMs: 10000, Groups: []GroupInfo{sampleGroup}, Nodes: nodes}),
		{name: "ping", op: OpPing},
		{name: "pong", op: OpPong},
		of("open", OpOpen, 2, Open{Group: 0, Session: sampleSession, Secret: sampleSecret}),
		of("attach", OpAttach, 3, Attach{Handle: 1, Session: sampleSession, Secret: sampleSecret, Epoch: 2, Tokens: []uint64{97, 99}}),
		of("end", OpEnd, 4, End{Handle: 1}),
		of("reattach", OpReattach, 0, Reattach{Handle: 1, Group: sampleGroup}),
		of("publish", OpPublish, 8, Publish{OpHeader: sampleHeader, Queue: "jobs", Count: 2,
			Records: wire.AppendBytes(wire.AppendBytes(nil, record), rich)}),
		of("publish-ordered", OpPublish, 12, Publish{OpHeader: OpHeader{Handle: 1, Number: 300, AnsweredThrough: 298, Ordered: true, Predecessor: 299},
			Queue: "jobs", Count: 1, Records: wire.AppendBytes(nil, record)}),
		of("settle", OpSettle, 10, Settle{OpHeader: OpHeader{Handle: 1, Number: 43, AnsweredThrough: 42}, Items: []SettleItem{
			{Incarnation: 12, Place: 5, Token: 99, Action: ActionAck},
			{Incarnation: 12, Place: 6, Token: 97, Action: ActionNack, Reason: ReasonMessage, Error: "boom"}}}),
		of("consume", OpConsume, 11, Consume{OpHeader: OpHeader{Handle: 1, Number: 44, AnsweredThrough: 43}, Consumer: 3, Queue: "jobs", CreditMessages: 32, CreditBytes: 8 << 20, Concurrency: 4}),
		of("cancel", OpCancel, 13, Cancel{OpHeader: OpHeader{Handle: 1, Number: 45, AnsweredThrough: 44}, Consumer: 3, Return: true}),
		of("credit", OpCredit, 0, Credit{Handle: 1, Consumer: 4, Through: 1 << 20}),
		of("queuecreate", OpQueueCreate, 5, QueueCreate{OpHeader: OpHeader{Handle: 1, Number: 1}, Queue: "jobs", Settings: settings}),
		of("queueupdate", OpQueueUpdate, 6, QueueUpdate{OpHeader: OpHeader{Handle: 1, Number: 2, AnsweredThrough: 1}, Queue: "jobs", Settings: QueueSettings{}}),
		of("queuedelete", OpQueueDelete, 7, QueueDelete{OpHeader: OpHeader{Handle: 1, Number: 3, AnsweredThrough: 2}, Queue: "jobs", IfEmpty: true}),
		of("queuepurge", OpQueuePurge, 14, QueuePurge{OpHeader: OpHeader{Handle: 1, Number: 46, AnsweredThrough: 45}, Queue: "jobs"}),
		of("queuepause", OpQueuePause, 15, QueuePause{OpHeader: OpHeader{Handle: 1, Number: 47, AnsweredThrough: 46}, Queue: "jobs", Paused: true}),
		of("query", OpQuery, 16, Query{Kind: "queues", Name: "jo", Limit: 100}),
		of("control", OpControl, 17, Control{Kind: "transfer-leader"}),
		of("events", OpEvents, 0, Events{Results: results, Deliveries: []Delivery{delivery, dead}, Closed: []Closed{{Handle: 1, Consumer: 2, Code: CodeNotFound}}}),
		of("error", OpError, 0, Error{Code: CodeMalformed, Message: "transport: malformed at offset 3 of the Publish"}),
		of("error-noleader", OpError, 18, Error{Code: CodeNoLeader, Message: "no leader", Retryable: true, RetryAfterMs: 100, Leader: &sampleGroup}),
		of("goaway", OpGoAway, 0, GoAway{Message: "node-1 is shutting down", Nodes: nodes[1:]}),
		of("queryreply", OpQueryReply, 16, QueryReply{Index: 1003, Body: QueueList{Queues: []QueueInfo{{
			Name: "jobs", Incarnation: 12, Settings: settings, Ready: 3, Leased: 1, Bytes: 4096, Consumers: 1, Published: 5, Acked: 1,
			DeadLetter: "jobs.dlq", OldestReadyMs: 1767225600000}}}.AppendTo(nil)}),
		of("queryreply-cluster", OpQueryReply, 19, QueryReply{Index: 1003, Stale: true, Body: ClusterInfo{ClusterID: sampleCluster, Node: "node-1",
			Groups: []GroupStatus{{Leader: "node-2", Term: 7, CommitIndex: 1003, AppliedIndex: 1003, Digest: "00ff", Members: []MemberInfo{
				{Node: "node-2", ServerID: "node-2-0badcafe", Addr: "10.0.0.2:7700", ClientAddr: "127.0.0.1:7701", Voter: true, Leader: true, Healthy: true, LastIndex: 1003, LastContactMs: -1}}}}}.AppendTo(nil)}),
		of("peerhello", OpPeerHello, 0, PeerHello{Node: "node-1", ServerID: "node-1-deadbeef", Boot: 1 << 63, ClientAddr: "127.0.0.1:7700", PeerAddr: "10.0.0.1:7700", WallMs: 1767225600000, HasState: true, Build: "1.0.0"}),
		of("peerclock", OpPeerClock, 0, PeerClock{WallMs: 1767225600000}),
		of("peersubmit", OpPeerSubmit, 0, PeerSubmit{Group: 0, First: 1000, Count: 2, Commands: []byte{0xc4, 2, 6, 1, 0xc4, 1, 9}}),
		of("peerevents", OpPeerEvents, 0, PeerEvents{Term: 7, Results: []PeerResult{{Number: 1000, Result: results[0]}},
			Deliveries: []PeerDelivery{{Session: sampleSession, Epoch: 2, Delivery: delivery}},
			Closed:     []PeerClosed{{Session: sampleSession, Epoch: 2, Closed: Closed{Consumer: 2, Code: CodeSessionExpired}}}}),
		of("peerrequest", OpPeerRequest, 20, PeerRequest{Kind: "query", Body: []byte{0x90}}),
		of("peerreply", OpPeerReply, 20, PeerReply{Error: &Error{Code: CodeNoLeader, Message: "no leader", Retryable: true}, Body: []byte{}}),
	}
	out = append(out, commitSamples(record, rich)...)
	out = append(out, adminSamples()...)
	return append(out, inspectSamples(record)...)
}
