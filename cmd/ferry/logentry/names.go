package logentry

import (
	"strconv"

	"github.com/ferrymq/ferrymq/fsm"
)

// What numbers are called. A default has no name.
var (
	actions = [...]string{fsm.ActionAck: "ack", fsm.ActionNack: "nack", fsm.ActionReject: "reject", fsm.ActionExtend: "extend"}
	reasons = [...]string{fsm.ReasonMessage: "message", fsm.ReasonDownstream: "downstream", fsm.ReasonShutdown: "shutdown",
		fsm.ReasonUnstarted: "unstarted"}
	causes = [...]string{fsm.DetachConnection: "connection", fsm.DetachNodeLost: "node"}

	amendments = [...]string{fsm.AmendDelete: "delete", fsm.AmendMove: "move", fsm.AmendRequeue: "requeue",
		fsm.AmendSchedule: "schedule"}
	breakerActions = [...]string{fsm.BreakerOpen: "open", fsm.BreakerClose: "close"}

	overflows     = [...]string{fsm.OverflowDropOldest: "drop-oldest", fsm.OverflowDropNew: "drop-new"}
	retries       = [...]string{fsm.RetryFixed: "fixed", fsm.RetryLinear: "linear", fsm.RetryImmediate: "immediate"}
	groupFailures = [...]string{fsm.GroupPark: "park", fsm.GroupDead: "dead", fsm.GroupSkip: "skip"}
)

func cause(c fsm.DetachCause) string { return named(causes[:], uint8(c)) }

// named is the name of a number, "" for 0, the number itself if it has none.
func named(names []string, n uint8) string {
	if int(n) < len(names) {
		return names[n]
	}
	return strconv.Itoa(int(n))
}
