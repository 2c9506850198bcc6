package transport

import "strconv"

var opNames = map[Op]string{
	OpHello: "Hello", OpHelloOK: "HelloOK", OpPing: "Ping", OpPong: "Pong",
	OpOpen: "Open", OpAttach: "Attach", OpEnd: "End", OpReattach: "Reattach",
	OpPublish: "Publish", OpSettle: "Settle", OpConsume: "Consume", OpCancel: "Cancel",
	OpCredit: "Credit", OpQueueCreate: "QueueCreate", OpQueueUpdate: "QueueUpdate",
	OpQueueDelete: "QueueDelete", OpQueuePurge: "QueuePurge", OpQueuePause: "QueuePause",
	OpCommit: "Commit", OpAmend: "Amend", OpRequest: "Request", OpReply: "Reply", OpAwait: "Await",
	OpQueueBreaker: "QueueBreaker", OpGroupResume: "GroupResume", OpTenantWeight: "TenantWeight",
	OpTopicCreate: "TopicCreate", OpTopicDelete: "TopicDelete", OpSubscribe: "Subscribe",
	OpQuery: "Query", OpControl: "Control", OpEvents: "Events", OpError: "Error",
	OpGoAway: "GoAway", OpQueryReply: "QueryReply", OpPeerHello: "PeerHello",
	OpPeerClock: "PeerClock", OpPeerSubmit: "PeerSubmit", OpPeerEvents: "PeerEvents",
	OpPeerRequest: "PeerRequest", OpPeerReply: "PeerReply",
}

// String is the op's name in documents and messages.
func (o Op) String() string {
	if name, ok := opNames[o]; ok {
		return name
	}
	return "op " + strconv.Itoa(int(o))
}
