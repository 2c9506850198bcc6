package transport

import "github.com/ferrymq/ferrymq/transport/wire"

// commitSamples are frames of commits, requests and their answers.
func commitSamples(record, rich []byte) []sample {
	head := func(number uint64) OpHeader { return OpHeader{Handle: 1, Number: number, AnsweredThrough: number - 1} }
	answer := Answer{Handle: 1, Number: 50, Group: 0, Index: 1005, Position: 1, Record: record}
	asked := Delivery{Handle: 1, Consumer: 3, Incarnation: 12, Place: 7, Token: 101, Index: 1004, Attempt: 1, LeaseMs: 60000,
		EnqueuedMs: 1767225600000, Record: record, Request: true}
	repeated := Result{Stream: 21, Index: 1004, Position: 1, Items: []Verdict{{}, {Code: CodeDuplicate, FirstIndex: 1001, FirstPosition: 2}}}
	history := []Attempt{{AtMs: 1767225601000, Session: sampleSession, Consumer: 3, Token: 90, Error: "boom"}}
	dead := Delivery{Handle: 1, Consumer: 4, Incarnation: 13, Place: 1, Token: 102, Index: 1001, Position: 3, Attempt: 1, LeaseMs: 60000,
		EnqueuedMs: 1767225600000, Record: record,
		Death: &Death{Queue: "jobs", Reason: DeathRejected, Attempts: 18, Failures: 1, Error: "bad", AtMs: 1767225660000, History: history, Forgotten: 17}}
	return []sample{
		of("commit", OpCommit, 20, Commit{OpHeader: head(48),
			Settles: []SettleItem{{Incarnation: 12, Place: 5, Token: 99, Action: ActionAck},
				{Incarnation: 12, Place: 6, Token: 97, Action: ActionNack, Reason: ReasonMessage, DelayMs: 5000, Error: "boom"}},
			Publishes: []CommitPublish{{Queue: "bills", Count: 2, Records: wire.AppendBytes(wire.AppendBytes(nil, record), rich)},
				{Queue: "events", Count: 1, Records: wire.AppendBytes(nil, record)}}}),
		of("commit-settle", OpCommit, 21, Commit{OpHeader: head(49), Settles: []SettleItem{{Incarnation: 12, Place: 5, Token: 99, Action: ActionAck}}}),
		of("request", OpRequest, 22, Request{OpHeader: head(50), Queue: "prices", NoRetry: true, Records: wire.AppendBytes(nil, rich), Taken: []uint64{44, 46}}),
		of("reply", OpReply, 23, Reply{OpHeader: head(51), Incarnation: 12, Place: 7, Token: 101, Records: wire.AppendBytes(nil, record)}),
		of("await", OpAwait, 24, Await{Handle: 1, Number: 50}),
		of("events-answers", OpEvents, 0, Events{Results: []Result{repeated}, Deliveries: []Delivery{asked},
			Answers: []Answer{answer, {Handle: 1, Number: 52, Code: CodeExpired}}}),
		of("events-history", OpEvents, 0, Events{Deliveries: []Delivery{dead}}),
		of("peerevents-answers", OpPeerEvents, 0, PeerEvents{Term: 7, Answers: []PeerAnswer{{Session: sampleSession, Epoch: 2, Answer: answer}}}),
	}
}

// allSettings has every field of the settings.
var allSettings = QueueSettings{
	MaxMessages: 1000, MaxBytes: 1 << 20, Overflow: OverflowDropOldest, FailureLimit: 5, LeaseMs: 30000, DLQMessages: 100, DLQBytes: 1 << 19,
	TTLMs: 86400000, ExpiredDead: true, Retry: RetryLinear, RetryBaseMs: 500, RetryMaxMs: 60000, RetryFactor: 3,
	StarvationGuard: StarvationGuardOff, GroupFailure: GroupPark, GroupBatch: 10, Exclusive: true, Fair: true,
	DedupMs: 600000, DedupCapacity: 100000, Breaker: true, DispatchRate: 50, DispatchBurst: 5,
}

// adminSamples are frames of what operators do.
func adminSamples() []sample {
	head := func(number uint64) OpHeader { return OpHeader{Handle: 1, Number: number, AnsweredThrough: number - 1} }
	return []sample{
		of("queuecreate-all", OpQueueCreate, 25, QueueCreate{OpHeader: head(53), Queue: "prices", Settings: allSettings}),
		of("amend", OpAmend, 26, Amend{OpHeader: head(54), Queue: "jobs.dlq", Action: AmendMove, To: "jobs", Reset: true,
			Items: []AmendItem{{Place: 5, Index: 1001, Position: 2}, {Place: 9, Index: 1002}}}),
		of("amend-schedule", OpAmend, 27, Amend{OpHeader: head(55), Queue: "jobs", Action: AmendSchedule, AtMs: 1767225600000,
			Items: []AmendItem{{Place: 5, Index: 1001}}}),
		of("queuebreaker", OpQueueBreaker, 28, QueueBreaker{OpHeader: head(56), Queue: "jobs", Action: BreakerClose}),
		of("groupresume", OpGroupResume, 29, GroupResume{OpHeader: head(57), Queue: "jobs", GroupKey: "customer-7"}),
		of("tenantweight", OpTenantWeight, 30, TenantWeight{OpHeader: head(58), Queue: "jobs", Tenant: "acme", Weight: 3}),
		of("topiccreate", OpTopicCreate, 31, TopicCreate{OpHeader: head(59), Topic: "events", Settings: TopicSettings{DedupMs: 60000, DedupCapacity: 1000}}),
		of("topicdelete", OpTopicDelete, 32, TopicDelete{OpHeader: head(60), Topic: "events", IfUnused: true}),
		of("subscribe", OpSubscribe, 33, Subscribe{OpHeader: head(61), Topic: "events", Queue: "audit", Filter: "order.*.paid", Required: true, Session: true,
			Settings: QueueSettings{MaxMessages: 1000}}),
	}
}

// inspectSamples are frames of queries and what they answer.
func inspectSamples(record []byte) []sample {
	reply := func(name string, stream uint32, b body) sample {
		return of(name, OpQueryReply, stream, QueryReply{Index: 1003, Body: b.AppendTo(nil)})
	}
	return []sample{
		of("query-browse", OpQuery, 34, Query{Kind: QueryBrowse, Body: sampleBrowse.AppendTo(nil)}),
		of("query-trace", OpQuery, 35, Query{Kind: QueryTrace, Stale: true, Body: TraceQuery{Index: 1001, Position: 2}.AppendTo(nil)}),
		of("query-subscriptions", OpQuery, 36, Query{Kind: QuerySubscriptions, Name: "events", After: "audit", Limit: 10}),
		reply("queryreply-subscriptions", 36, &QueueList{Queues: []QueueInfo{sampleSubscription}}),
		reply("queryreply-topics", 37, &TopicList{Topics: []TopicInfo{sampleTopic}, More: true}),
		reply("queryreply-topic", 38, &sampleTopic),
		reply("queryreply-browse", 34, sampleBrowsed(record)),
		reply("queryreply-explain", 39, &sampleExplain),
		reply("queryreply-trace", 35, &sampleTrace),
		of("query-tenants", OpQuery, 40, Query{Kind: QueryTenants, Name: "jobs", Limit: 100}),
		reply("queryreply-tenants", 40, &sampleTenants),
	}
}

var (
	sampleBrowse = BrowseQuery{Queue: "jobs", After: 4, Limit: 50, States: StatesOf(MessageReady, MessageRetrying), Index: 1001, Position: 2,
		HeaderKey: "trace", HeaderValue: "abc", GroupKey: "customer-7", Tenant: "acme", OlderThanMs: 60000, YoungerThanMs: 3600000, Bodies: true}
	sampleTenants = TenantList{Tenants: []TenantInfo{{Name: "acme", Weight: 3}, {Name: "globex", Weight: 2}}, More: true}
	sampleTopic   = TopicInfo{Name: "events", Incarnation: 14, Settings: TopicSettings{DedupMs: 60000, DedupCapacity: 1000},
		Subscriptions: 2, Published: 40, Duplicates: 3, DedupIDs: 7}
	sampleSubscription = QueueInfo{Name: "billing", Incarnation: 15, Settings: allSettings, Ready: 3, Bytes: 4096, Published: 5, DeadLetter: "billing.dlq",
		Scheduled: 1, Retrying: 2, Groups: 3, GroupsParked: 1, Expired: 4, Overflowed: 5, Missed: 6, Duplicates: 7, DedupIDs: 8,
		Breaker: BreakerInfo{State: BreakerIsOpen, ByHand: true, UntilMs: 1767225600000, OpenMs: 20000, Outcomes: 20, Failures: 10, Downstream: 5, Probes: 1},
		Topic:   "events", Filter: "order.>", Required: true, Session: true}
	sampleExplain = ExplainReply{Queue: "jobs", Reasons: []ExplainReason{
		{Kind: ExplainBreakerOpen, Text: "the circuit breaker is open", AtMs: 1767225600000},
		{Kind: ExplainGroupsParked, Text: "2 message groups are parked", Count: 2, Name: "customer-7"},
		{Kind: ExplainTopicRefuses, Text: "the topic refuses messages above 4096 bytes", Count: 1, Name: "audit", TakesBytes: 4096}}}
	sampleTrace = TraceReply{FromIndex: 17, FromMs: 1767225000000, Events: []TraceEvent{
		{Index: 1001, WallMs: 1767225600000, Queue: "jobs", Kind: TracePublished},
		{Index: 1002, WallMs: 1767225600010, Queue: "jobs", Kind: TraceDelivered, Token: 99, Session: sampleSession, Consumer: 3, Node: "node-1", Detail: "attempt 1"}}}
)

func sampleBrowsed(record []byte) *BrowseReply {
	history := []Attempt{{AtMs: 1767225601000, Session: sampleSession, Consumer: 3, Token: 90, Error: "boom"}}
	return &BrowseReply{Next: 9, More: true, Messages: []BrowsedMessage{
		{Place: 5, Index: 1001, Position: 2, State: MessageLeased, Bytes: 5, Attempts: 2, Failures: 1, EnqueuedMs: 1767225600000, Priority: 4,
			GroupKey: "customer-7", Tenant: "acme", Alone: true, Token: 99, Session: sampleSession, Consumer: 3, DeadlineMs: 1767225660000,
			History: history, Forgotten: 2, Record: record},
		{Place: 9, Index: 1002, State: MessageParked, Bytes: 5, ReadyMs: 1767225700000, ExpiresMs: 1767229200000,
			Death: &Death{Queue: "jobs", Reason: DeathFailures, Attempts: 10, Failures: 10, Error: "boom", AtMs: 1767225660000, History: history}},
	}}
}
