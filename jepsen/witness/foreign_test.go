package witness

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// TestForeignIsUndecided: a log with what the model does not know is never
// found valid, and never wrong for what comes behind it.
func TestForeignIsUndecided(t *testing.T) {
	priority := uint8(0)
	for name, c := range map[string]struct {
		kind  string // of the command that is made foreign
		plant func(*history.Command)
	}{
		"command commit": {"publish", func(c *history.Command) { c.Kind = "commit" }},
		"command await":  {"settle", func(c *history.Command) { c.Kind = "await" }},
		"command ":       {"settle", func(c *history.Command) { c.Kind = "" }},
		"version 2 of the rules": {"settle", func(c *history.Command) {
			*c = history.Command{Kind: "version", Version: 2}
		}},
		"message with a priority": {"publish", func(c *history.Command) {
			c.Attributes = []history.Attributes{{}, {Priority: &priority}}
		}},
		"message with a group":     {"publish", func(c *history.Command) { c.Attributes = []history.Attributes{{Group: "g"}} }},
		"message with a tenant":    {"publish", func(c *history.Command) { c.Attributes = []history.Attributes{{Tenant: "t"}} }},
		"message with a dedup id":  {"publish", func(c *history.Command) { c.Attributes = []history.Attributes{{DedupID: "d"}} }},
		"message that expires":     {"publish", func(c *history.Command) { c.Attributes = []history.Attributes{{TTLMillis: 1}} }},
		"message that is delayed":  {"publish", func(c *history.Command) { c.Attributes = []history.Attributes{{DelayMillis: 1}} }},
		"ack with a delay":         {"settle", func(c *history.Command) { c.Items[0].Action, c.Items[0].DelayMillis = "ack", 1 }},
		"Retry:fixed":              {"queuecreate", func(c *history.Command) { c.Settings.Retry = "fixed" }},
		"Retry: ":                  {"queuecreate", func(c *history.Command) { c.Settings.Retry = "" }},
		"Overflow:drop-oldest":     {"queuecreate", func(c *history.Command) { c.Settings.Overflow = "drop-oldest" }},
		"TTLMillis:5":              {"queuecreate", func(c *history.Command) { c.Settings.TTLMillis = 5 }},
		"Exclusive:true":           {"queuecreate", func(c *history.Command) { c.Settings.Exclusive = true }},
		"DispatchRate:7":           {"queuecreate", func(c *history.Command) { c.Settings.DispatchRate = 7 }},
		"DedupCapacity:9":          {"queuecreate", func(c *history.Command) { c.Settings.DedupCapacity = 9 }},
		"MaxMessages:0 MaxBytes:0": {"queuecreate", func(c *history.Command) { c.Settings = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			run := orderly(3, 1_000)
			at := plantForeign(run, c.kind, c.plant)
			v := Checker{}.Check(run)
			require.Equal(t, check.Undecided, v.Result, v)
			require.Contains(t, v.String(), name)
			require.Equal(t, at-1, uint64(v.Checked[2].Seen), "what is before is judged")
		})
	}
	run := orderly(3, 1_000)
	plantForeign(run, "publish", func(c *history.Command) {
		c.Attributes = []history.Attributes{{Subject: "a.b", ReplyTo: "r", DeadlineMillis: 5}}
	})
	require.Equal(t, check.Valid, Checker{}.Check(run).Result, "a queue only carries these")
}

// plantForeign changes the first command of a kind and returns its entry's index.
func plantForeign(run *history.Run, kind string, plant func(*history.Command)) uint64 {
	for _, e := range run.Log {
		for i := range e.Commands {
			if e.Commands[i].Kind == kind {
				plant(&e.Commands[i])
				return e.Index
			}
		}
	}
	return 0
}
