package modeltest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ferrymq/ferrymq/fsm"
)

// What a run has to reach. A property that was tested on too little, or never
// on some kind of command, was not tested.
// See also commandsMin.
const percentMin = 1

// kinds of commands by name.
var kinds = map[fsm.Kind]string{
	fsm.KindLeader: "leader", fsm.KindDetachNode: "detach node", fsm.KindOpen: "open", fsm.KindAttach: "attach",
	fsm.KindDetach: "detach", fsm.KindEnd: "end", fsm.KindPublish: "publish", fsm.KindSettle: "settle",
	fsm.KindConsume: "consume", fsm.KindCancel: "cancel", fsm.KindCredit: "credit", fsm.KindQueueCreate: "create",
	fsm.KindQueueUpdate: "update", fsm.KindQueueDelete: "delete", fsm.KindQueuePurge: "purge",
	fsm.KindQueuePause: "pause", fsm.KindVersion: "version", fsm.KindCheckpoint: "checkpoint",
}

// codes that the machine can return. Duplicate and Dropped wait for features
// that it does not have yet.
var codes = map[fsm.Code]string{
	fsm.OK: "ok", fsm.AlreadyDone: "already_done", fsm.LeaseLost: "lease_lost", fsm.Busy: "busy",
	fsm.Conflict: "conflict", fsm.NotFound: "not_found", fsm.Overtaken: "overtaken", fsm.OutOfOrder: "out_of_order",
	fsm.SessionExpired: "session_expired", fsm.Fenced: "fenced", fsm.TooLarge: "too_large", fsm.Invalid: "invalid",
	fsm.Unsupported: "unsupported", fsm.Denied: "denied", fsm.InUse: "in_use",
}

// causes that the machine can return under these commands.
var causes = map[fsm.Cause]string{
	fsm.CauseMessages: "messages", fsm.CauseBytes: "bytes", fsm.CauseWindow: "window", fsm.CauseExpired: "expired",
	fsm.CauseSettled: "settled", fsm.CauseSessionEnded: "session_ended", fsm.CauseQueueGone: "queue_gone",
	fsm.CauseNotHolder: "not_holder", fsm.CauseUnknownToken: "unknown_token",
}

// coverage of a whole run.
type coverage struct {
	entries, commands int
	kinds             map[fsm.Kind]int
	codes             map[fsm.Code]int
	causes            map[fsm.Cause]int
	first, again      int // deliveries, and those after a message's first
	dead, parked      int
	restored          int
}

func newCoverage() *coverage {
	return &coverage{kinds: map[fsm.Kind]int{}, codes: map[fsm.Code]int{}, causes: map[fsm.Cause]int{}}
}

func (c *coverage) note(commands []Command, a fsm.Applied) {
	c.entries++
	c.commands += len(commands)
	for i, x := range commands {
		c.kinds[x.Kind()]++
		r := a.Results[i]
		c.codes[r.Code]++
		c.causes[r.Cause]++
		for _, v := range r.Items {
			c.codes[v.Code]++
			c.causes[v.Cause]++
		}
	}
	for _, e := range a.Effects {
		switch {
		case e.Kind == fsm.EffectDeliver && e.Attempt == 1:
			c.first++
		case e.Kind == fsm.EffectDeliver:
			c.again++
		}
		if e.Death != nil {
			c.dead++
		}
	}
}

// check fails the test unless everything was reached, and prints the table.
func (c *coverage) check(t *testing.T) {
	t.Helper()
	var table strings.Builder
	missed := 0
	line := func(what string, count, floor int) {
		mark := ""
		if count < floor {
			mark = fmt.Sprintf("  MISSED: at least %d", floor)
			missed++
		}
		fmt.Fprintf(&table, "%-28s %8d%s\n", what, count, mark)
	}
	line("commands", c.commands, commandsMin)
	for k := fsm.KindLeader; k <= fsm.KindCheckpoint; k++ {
		line("command "+kinds[k], c.kinds[k], c.commands*percentMin/100)
	}
	for code := fsm.OK; code <= fsm.InUse; code++ {
		if name, possible := codes[code]; possible {
			line("code "+name, c.codes[code], 1)
		}
	}
	for cause := range fsm.CauseUnknownToken + 1 {
		if name, possible := causes[cause]; possible {
			line("cause "+name, c.causes[cause], 1)
		}
	}
	line("first deliveries", c.first, commandsMin/100)
	line("deliveries again", c.again, commandsMin/100)
	line("deliveries of dead letters", c.dead, 100)
	line("entries with parked messages", c.parked, 100)
	line("restored from a snapshot", c.restored, 100)
	if missed > 0 {
		t.Errorf("the run did not reach %d of what it must:\n%s", missed, table.String())
		return
	}
	if path := os.Getenv("MODELTEST_TABLE"); path != "" {
		if err := os.WriteFile(path, []byte(table.String()), 0o600); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d entries:\n%s", c.entries, table.String())
}
