package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// kinds of commands by name.
var kinds = map[fsm.Kind]string{
	fsm.KindLeader: "leader", fsm.KindDetachNode: "detach node", fsm.KindOpen: "open", fsm.KindAttach: "attach",
	fsm.KindDetach: "detach", fsm.KindEnd: "end", fsm.KindPublish: "publish", fsm.KindSettle: "settle",
	fsm.KindConsume: "consume", fsm.KindCancel: "cancel", fsm.KindCredit: "credit", fsm.KindQueueCreate: "create",
	fsm.KindQueueUpdate: "update", fsm.KindQueueDelete: "delete", fsm.KindQueuePurge: "purge",
	fsm.KindQueuePause: "pause", fsm.KindVersion: "version", fsm.KindCheckpoint: "checkpoint", fsm.KindCommit: "commit",
	fsm.KindAmend: "amend", fsm.KindBreaker: "breaker", fsm.KindGroupResume: "group resume",
	fsm.KindTenantWeight: "tenant weight", fsm.KindTopicCreate: "topic create", fsm.KindTopicDelete: "topic delete",
	fsm.KindSubscribe: "subscribe", fsm.KindRequest: "request", fsm.KindReply: "reply", fsm.KindAwait: "await",
}

// codes that the machine can answer to commands: all but Unsupported, which
// only nodes do, and those that only a request can end with.
var codes = map[fsm.Code]string{
	fsm.OK: "ok", fsm.Duplicate: "duplicate", fsm.Dropped: "dropped", fsm.AlreadyDone: "already_done",
	fsm.LeaseLost: "lease_lost", fsm.Busy: "busy", fsm.Conflict: "conflict", fsm.NotFound: "not_found",
	fsm.Overtaken: "overtaken", fsm.OutOfOrder: "out_of_order", fsm.SessionExpired: "session_expired",
	fsm.Fenced: "fenced", fsm.TooLarge: "too_large", fsm.Invalid: "invalid", fsm.Denied: "denied", fsm.InUse: "in_use",
	fsm.NoResponders: "no_responders", fsm.Expired: "expired",
}

// answerCodes that a request can end with.
var answerCodes = map[fsm.Code]string{
	fsm.OK: "ok", fsm.ResponderLost: "responder_lost", fsm.Expired: "expired", fsm.DeadLettered: "dead_lettered",
}

// causes that the machine can answer. The two that count what a history has
// too little of, sessions and requests, have tests of their own in package fsm.
var causes = map[fsm.Cause]string{
	fsm.CauseMessages: "messages", fsm.CauseBytes: "bytes", fsm.CauseWindow: "window", fsm.CauseDedup: "dedup",
	fsm.CauseExpired: "expired", fsm.CauseSettled: "settled", fsm.CauseSessionEnded: "session_ended",
	fsm.CauseQueueGone: "queue_gone", fsm.CauseNotHolder: "not_holder", fsm.CauseUnknownToken: "unknown_token",
	fsm.CauseRequeued: "requeued", fsm.CauseTenants: "tenants", fsm.CauseGroups: "groups", fsm.CauseRoom: "room", fsm.CauseEntry: "entry",
}

// reached is what a run must have seen of the state.
var reached = []string{
	"first deliveries", "deliveries again", "deliveries of the dead", "dead: failures", "dead: rejected",
	"dead: expired", "dead: overflow", "dead: group", "parked messages", "restored from a snapshot",
	"retrying messages", "scheduled messages", "parked groups", "parked groups without messages", "condemned groups", "batches of a group",
	"tenants that take turns", "exclusive queues with a consumer", "messages blamed for a crash",
	"messages leased alone", "messages that wait for a consumer", "such behind one of their group", "subscriptions that missed something",
	"windows with ids", "open breakers", "breakers that probe", "later rounds of probes", "rates that are used up",
	"answers that are kept", "restored with junk that has lines", "requests that are junk",
	"entries that leave something due",
}

// rare codes and causes are not in every short run.
var rare = map[string]bool{
	"code duplicate": true, "code overtaken": true, "code too_large": true, "code expired": true,
	"answer ok": true, "answer responder_lost": true, "answer expired": true, "answer dead_lettered": true,
	"cause room": true, "cause entry": true, "cause expired": true, "cause session_ended": true, "cause requeued": true, "cause dedup": true,
}

// leastOf is how often a code or cause must have been answered.
func leastOf(what string) int {
	if rare[what] && seenMin == 0 {
		return 0
	}
	return 1
}
