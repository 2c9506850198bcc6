package modeltest

import "github.com/ferrymq/ferrymq/fsm"

// kinds of commands by name.
var kinds = map[fsm.Kind]string{
	fsm.KindLeader: "leader", fsm.KindDetachNode: "detach node", fsm.KindOpen: "open", fsm.KindAttach: "attach",
	fsm.KindDetach: "detach", fsm.KindEnd: "end", fsm.KindPublish: "publish", fsm.KindSettle: "settle",
	fsm.KindConsume: "consume", fsm.KindCancel: "cancel", fsm.KindCredit: "credit", fsm.KindQueueCreate: "create",
	fsm.KindQueueUpdate: "update", fsm.KindQueueDelete: "delete", fsm.KindQueuePurge: "purge",
	fsm.KindQueuePause: "pause", fsm.KindVersion: "version", fsm.KindCheckpoint: "checkpoint",
}

// codes that the machine can answer to these commands.
var codes = map[fsm.Code]string{
	fsm.OK: "ok", fsm.AlreadyDone: "already_done", fsm.LeaseLost: "lease_lost", fsm.Busy: "busy",
	fsm.Conflict: "conflict", fsm.NotFound: "not_found", fsm.Overtaken: "overtaken", fsm.OutOfOrder: "out_of_order",
	fsm.SessionExpired: "session_expired", fsm.Fenced: "fenced", fsm.TooLarge: "too_large", fsm.Invalid: "invalid",
	fsm.Denied: "denied", fsm.InUse: "in_use",
}

// answerCodes that a request can end with.
var answerCodes = map[fsm.Code]string{}

// causes that the machine can answer to these commands.
var causes = map[fsm.Cause]string{
	fsm.CauseMessages: "messages", fsm.CauseBytes: "bytes", fsm.CauseWindow: "window", fsm.CauseExpired: "expired",
	fsm.CauseSettled: "settled", fsm.CauseSessionEnded: "session_ended", fsm.CauseQueueGone: "queue_gone",
	fsm.CauseNotHolder: "not_holder", fsm.CauseUnknownToken: "unknown_token",
}

// reached is what a run must have seen of the state.
var reached = []string{
	"first deliveries", "deliveries again", "deliveries of the dead", "dead: failures", "dead: rejected",
	"parked messages", "restored from a snapshot",
}

// rare codes and causes are not in every short run.
var rare = map[string]bool{
	"code duplicate": true, "code overtaken": true, "code too_large": true, "code expired": true,
	"answer ok": true, "answer responder_lost": true, "answer expired": true, "answer dead_lettered": true,
	"cause expired": true, "cause session_ended": true, "cause requeued": true, "cause dedup": true,
}

// leastOf is how often a code or cause must have been answered.
func leastOf(what string) int {
	if rare[what] && seenMin == 0 {
		return 0
	}
	return 1
}

func init() {
	if features.retry {
		reached = append(reached, "retrying messages")
	}
	if features.timed {
		reached = append(reached, "scheduled messages", "dead: expired")
	}
	if features.lines {
		kinds[fsm.KindGroupResume] = "group resume"
		reached = append(reached, "parked groups", "condemned groups", "batches of a group", "dead: group")
	}
	if features.fair {
		kinds[fsm.KindTenantWeight] = "tenant weight"
		reached = append(reached, "tenants that take turns")
	}
	if features.exclusive {
		reached = append(reached, "exclusive queues with a consumer")
	}
	if features.bystander {
		reached = append(reached, "messages blamed for a crash", "messages leased alone", "messages that wait for a consumer")
	}
	if features.overflow {
		codes[fsm.Dropped] = "dropped"
		reached = append(reached, "dead: overflow")
	}
	if features.commit {
		kinds[fsm.KindCommit] = "commit"
	}
	if features.topics {
		kinds[fsm.KindTopicCreate], kinds[fsm.KindTopicDelete], kinds[fsm.KindSubscribe] = "topic create", "topic delete", "subscribe"
		reached = append(reached, "subscriptions that missed something")
	}
	if features.dedup {
		codes[fsm.Duplicate] = "duplicate"
		causes[fsm.CauseDedup] = "dedup"
		reached = append(reached, "windows with ids")
	}
	if features.breaker {
		kinds[fsm.KindBreaker] = "breaker"
		reached = append(reached, "open breakers", "breakers that probe", "later rounds of probes")
	}
	if features.rates {
		reached = append(reached, "rates that are used up")
	}
	if features.amend {
		kinds[fsm.KindAmend] = "amend"
		causes[fsm.CauseRequeued] = "requeued"
	}
	if features.request {
		kinds[fsm.KindRequest], kinds[fsm.KindReply], kinds[fsm.KindAwait] = "request", "reply", "await"
		codes[fsm.NoResponders], codes[fsm.Expired] = "no_responders", "expired"
		answerCodes[fsm.OK], answerCodes[fsm.ResponderLost] = "ok", "responder_lost"
		answerCodes[fsm.Expired], answerCodes[fsm.DeadLettered] = "expired", "dead_lettered"
		reached = append(reached, "answers that are kept")
	}
}
