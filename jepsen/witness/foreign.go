package witness

import (
	"cmp"
	"fmt"

	"github.com/ferrymq/ferrymq/jepsen/history"
)

// The model knows queues that are first in, first out, and try again at once.
// A log that holds anything else cannot be judged by it: the replay ends there
// and says so.

const (
	retryImmediate = "immediate"
	versionKnown   = 1 // of the state machine's rules
)

// kindsKnown are the commands that the model carries out. A checkpoint changes
// nothing.
var kindsKnown = map[string]bool{
	"leader": true, "detachnode": true, "open": true, "attach": true, "detach": true, "end": true,
	"publish": true, "settle": true, "consume": true, "cancel": true, "credit": true,
	"queuecreate": true, "queueupdate": true, "queuedelete": true, "queuepurge": true, "queuepause": true,
	"version": true, "checkpoint": true,
}

// foreign says what of a command the model does not know, "" if it knows it all.
func foreign(c *history.Command) string {
	if !kindsKnown[c.Kind] {
		return "command " + c.Kind
	}
	if c.Kind == "version" && c.Version != versionKnown {
		return fmt.Sprintf("version %d of the rules", c.Version)
	}
	if c.Kind == "queuecreate" || c.Kind == "queueupdate" {
		return foreignSettings(c.Settings)
	}
	for i := range c.Attributes {
		if what := foreignAttributes(&c.Attributes[i]); what != "" {
			return what
		}
	}
	for i := range c.Items {
		if it := &c.Items[i]; it.DelayMillis != 0 {
			return fmt.Sprintf("%s with a delay", it.Action)
		}
	}
	return ""
}

func foreignSettings(s *history.Settings) string {
	t := value(s)
	known := history.Settings{MaxMessages: t.MaxMessages, MaxBytes: t.MaxBytes, FailureLimit: t.FailureLimit,
		LeaseMillis: t.LeaseMillis, DLQMessages: t.DLQMessages, DLQBytes: t.DLQBytes, Retry: retryImmediate}
	if t != known {
		return fmt.Sprintf("settings %+v", t)
	}
	return ""
}

// foreignAttributes: what is only carried makes no difference to a queue.
func foreignAttributes(a *history.Attributes) string {
	switch {
	case a.Priority != nil:
		return "message with a priority"
	case a.DelayMillis != 0 || a.DeliverAtMillis != 0:
		return "message that is delayed"
	case a.TTLMillis != 0:
		return "message that expires"
	}
	return cmp.Or(ifSet("group", a.Group), ifSet("dedup id", a.DedupID), ifSet("tenant", a.Tenant))
}

func ifSet(what, text string) string {
	if text == "" {
		return ""
	}
	return "message with a " + what
}
