package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ferrymq/ferrymq/client"
)

const (
	browseLimit = 100
	// bodyColumn is how much of a body a table shows.
	bodyColumn = 60
)

var (
	stateWords = []client.MessageState{client.Ready, client.Leased, client.Scheduled, client.Retrying, client.Parked}
	deathWords = []string{"failures", "rejected", "expired", "overflow", "group"}
)

// filterNames are the flags that are conditions.
var filterNames = []string{"id", "header", "reason", "group", "tenant", "state", "older-than", "younger-than"}

// filterFlags choose messages in a queue.
type filterFlags struct {
	flags         *pflag.FlagSet
	ids           []string
	header        string
	reason        string
	group, tenant string
	states        []string
	older         time.Duration
	younger       time.Duration
}

// addFilter adds the flags that every command about many messages has.
func addFilter(c *cobra.Command) *filterFlags {
	o := &filterFlags{flags: c.Flags()}
	f := o.flags
	f.StringSliceVar(&o.ids, "id", nil, "only these; may be repeated")
	f.StringVar(&o.header, "header", "", "only with this header: name or name=value")
	f.StringVar(&o.reason, "reason", "", "only dead letters that died for it: "+strings.Join(deathWords, ", "))
	f.StringVar(&o.group, "group", "", "only of this message group")
	f.StringVar(&o.tenant, "tenant", "", "only of this tenant")
	f.DurationVar(&o.older, "older-than", 0, "only enqueued at least so long ago")
	f.DurationVar(&o.younger, "younger-than", 0, "only enqueued at most so long ago")
	words(c, "reason", deathWords)
	return o
}

func (o *filterFlags) addState(c *cobra.Command) {
	c.Flags().StringSliceVar(&o.states, "state", nil, "only in these states: "+strings.Join(stateNames(), ", "))
	words(c, "state", stateNames())
}

func stateNames() (all []string) {
	for _, s := range stateWords {
		all = append(all, s.String())
	}
	return all
}

// given says whether any condition is.
func (o *filterFlags) given() bool {
	return slices.ContainsFunc(filterNames, o.flags.Changed)
}

// filter with everything but the ids.
func (o *filterFlags) filter() (client.Filter, error) {
	if err := empty(o.flags, filterNames...); err != nil {
		return client.Filter{}, err
	}
	f := client.Filter{Reason: o.reason, Group: o.group, Tenant: o.tenant, OlderThan: o.older, YoungerThan: o.younger}
	f.Header, f.HeaderValue, _ = strings.Cut(o.header, "=")
	switch {
	case o.header != "" && f.Header == "":
		return f, usagef("--header: %q is neither name nor name=value", o.header)
	case o.reason != "" && !slices.Contains(deathWords, o.reason):
		return f, usagef("--reason: %q is none of %s", o.reason, strings.Join(deathWords, ", "))
	}
	if err := o.check(); err != nil {
		return f, err
	}
	for _, word := range o.states {
		i := slices.IndexFunc(stateWords, func(s client.MessageState) bool { return s.String() == word })
		if i < 0 {
			return f, usagef("--state: %q is none of %s", word, strings.Join(stateNames(), ", "))
		}
		f.States = append(f.States, stateWords[i])
	}
	return f, nil
}

// check judges the conditions beside each other.
func (o *filterFlags) check() error {
	if err := mistakes(atLeast("older-than", o.older, 0), atLeast("younger-than", o.younger, 0),
		text("group", o.group), text("tenant", o.tenant)); err != nil {
		return err
	}
	if o.younger > 0 && o.older > o.younger {
		return usagef("--older-than: %v is above --younger-than, %v: no message is both", o.older, o.younger)
	}
	return nil
}

func (a *app) messageBrowse() *cobra.Command {
	c := &cobra.Command{
		Use:   "browse QUEUE",
		Short: "Look at the messages in a queue",
		Long: "Look at the messages in a queue, in the order of their places, which changes neither\n" +
			"them nor any counter. With -o json each is one line. A dead-letter queue is browsed\n" +
			"under its own name, like orders.dlq.",
		Example: "  ferry message browse orders --state scheduled,retrying\n" +
			"  ferry message browse orders.dlq --reason rejected --body\n" +
			"  ferry message browse orders --older-than 1h --limit 0 -o json",
	}
	o := addFilter(c)
	o.addState(c)
	limit := c.Flags().IntP("limit", "n", browseLimit, "at most so many; 0: all")
	body := c.Flags().Bool("body", false, "with headers and bodies; a table shows the beginning")
	stale := staleFlag(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := o.filter()
		if err != nil {
			return err
		}
		refs, err := parseRefs(o.ids)
		if err != nil {
			return fmt.Errorf("--id: %w", err)
		}
		if err := atLeast("limit", *limit, 0); err != nil {
			return err
		}
		b := browse{filter: f, ids: idsOf(refs), limit: *limit, bodies: *body, opts: readOptions(*stale)}
		return a.unbounded(cmd.Context(), func(ctx context.Context, conn *client.Conn) error {
			return a.printBrowsed(ctx, conn, args[0], &b)
		})
	}
	return a.remote(c)
}

// browse is one look at a queue.
type browse struct {
	filter client.Filter
	ids    map[client.MessageID]bool // only these; empty: all
	limit  int                       // 0: none
	bodies bool
	opts   []client.ReadOption
}

// each calls f for every message that was asked for, until it says stop.
func (b *browse) each(ctx context.Context, conn *client.Conn, queue string, f func(*client.BrowsedMessage) (more bool, err error)) error {
	look := conn.Browse
	if b.bodies {
		look = conn.BrowseMessages
	}
	filter, left := b.filter, len(b.ids)
	if left == 1 {
		for id := range b.ids {
			filter.ID = id
		}
	}
	found := 0
	for m, err := range look(ctx, queue, filter, b.opts...) {
		if err != nil {
			return err
		}
		if len(b.ids) > 0 {
			if !b.ids[m.ID] {
				continue
			}
			left--
		}
		found++
		more, err := f(&m)
		if err != nil || !more || found == b.limit || len(b.ids) > 0 && left == 0 {
			return err
		}
	}
	return nil
}

func (a *app) printBrowsed(ctx context.Context, conn *client.Conn, queue string, b *browse) error {
	if a.json() {
		return b.each(ctx, conn, queue, func(m *client.BrowsedMessage) (bool, error) {
			return true, printJSON(a.Out, viewBrowsed(m))
		})
	}
	var rows [][]string
	now := time.Now()
	err := b.each(ctx, conn, queue, func(m *client.BrowsedMessage) (bool, error) {
		rows = append(rows, browsedRow(m, now))
		return true, nil
	})
	if err != nil {
		return err
	}
	if err := printRows(a.Out, rows); err != nil {
		return err
	}
	if len(rows) == b.limit {
		_, err = fmt.Fprintf(a.Err, "the first %d; --limit 0 shows all\n", len(rows))
	}
	return err
}

func printRows(w io.Writer, rows [][]string) error {
	return tableUsed(w, []string{"ID", "STATE", "AGE", "BYTES", "ATTEMPTS", "FAILURES", "PRIORITY", "GROUP", "TENANT",
		"READY AT", "EXPIRES AT", "TOKEN", "SESSION", "LEASE UNTIL", "DIED IN", "REASON", "ERROR", "BODY"}, rows)
}

func browsedRow(m *client.BrowsedMessage, now time.Time) []string {
	v := viewBrowsed(m)
	row := []string{v.ID, v.State, agoText(m.EnqueuedAt, now), strconv.Itoa(v.Bytes), some(v.Attempts), some(v.Failures),
		priorityText(v.Priority), v.Group, v.Tenant, v.ReadyAt, v.ExpiresAt, some(v.Token), shortSession(v.Session), v.LeaseUntil}
	died, reason, text := "", "", v.Error
	switch {
	case v.Death != nil:
		died, reason, text = v.Death.Queue, v.Death.Reason, v.Death.Error
	case len(v.History) > 0:
		text = v.History[len(v.History)-1].Error
	}
	body := ""
	if m.Message != nil {
		body = beginning(m.Message.Body)
	}
	return append(row, died, reason, text, body)
}

// priorityText is empty for the usual one.
func priorityText(p uint8) string {
	const usual = 4
	if p == usual {
		return ""
	}
	return strconv.Itoa(int(p))
}

// beginning of a body, on one line.
func beginning(body []byte) string {
	text := string(body[:min(len(body), bodyColumn)])
	if len(body) > bodyColumn {
		text = strings.ToValidUTF8(text, "") + "…"
	}
	return text
}

// plainText is text that moves no cursor: quoted if it has more than printable
// characters.
func plainText(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return strconv.Quote(text)
	}
	return text
}
