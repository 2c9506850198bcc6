package transport

// Op names what a frame carries. The numbers are the protocol: they are never
// reused for something else.
type Op uint16

// Ops a client sends. An operation (all from 16 to 47 but Credit and Await) is
// numbered and is answered once, inside an Events frame, under the stream it
// was sent on.
const (
	OpHello    Op = 1 // Hello; answered by HelloOK
	OpPing     Op = 3 // empty; answered by Pong on the same stream
	OpOpen     Op = 5 // Open: make the session's record in a group
	OpAttach   Op = 6 // Attach: bind the session to this connection
	OpEnd      Op = 7 // End: give the session up, hand everything back
	OpReattach Op = 8 // sent by the server: Reattach, "attach again in this group, same epoch"

	OpPublish Op = 16 // Publish
	OpSettle  Op = 17 // Settle
	OpConsume Op = 18 // Consume
	OpCancel  Op = 19 // Cancel
	OpCredit  Op = 20 // Credit: not an operation, never answered
	OpCommit  Op = 21 // Commit
	OpAmend   Op = 22 // Amend
	OpRequest Op = 23 // Request
	OpReply   Op = 24 // Reply
	OpAwait   Op = 25 // Await: not an operation, answered by a Result

	OpQueueCreate  Op = 32 // QueueCreate
	OpQueueUpdate  Op = 33 // QueueUpdate
	OpQueueDelete  Op = 34 // QueueDelete
	OpQueuePurge   Op = 35 // QueuePurge
	OpQueuePause   Op = 36 // QueuePause
	OpQueueBreaker Op = 37 // QueueBreaker
	OpGroupResume  Op = 38 // GroupResume
	OpTenantWeight Op = 39 // TenantWeight
	OpTopicCreate  Op = 40 // TopicCreate
	OpTopicDelete  Op = 41 // TopicDelete
	OpSubscribe    Op = 42 // Subscribe

	OpQuery   Op = 48 // Query; answered by QueryReply or Error
	OpControl Op = 49 // Control (membership, leadership); answered by QueryReply or Error
)

// Ops a server sends to a client.
const (
	OpHelloOK    Op = 2
	OpPong       Op = 4
	OpEvents     Op = 64 // Events: every result and delivery of one entry for this connection
	OpError      Op = 65 // Error: about one stream; stream 0 is the connection, which then closes
	OpGoAway     Op = 66 // GoAway: this node is leaving; where to go instead
	OpQueryReply Op = 67 // QueryReply
)

// Ops on the link between two nodes.
const (
	OpPeerHello   Op = 128 // PeerHello, first frame in both directions
	OpPeerClock   Op = 129 // PeerClock: the sender's wall clock
	OpPeerSubmit  Op = 130 // PeerSubmit: commands for a group that the receiver leads
	OpPeerEvents  Op = 131 // PeerEvents: results of commands, deliveries for sessions attached through the receiver
	OpPeerRequest Op = 133 // PeerRequest: a read, a join, statistics; answered by PeerReply on its stream
	OpPeerReply   Op = 134 // PeerReply
)
