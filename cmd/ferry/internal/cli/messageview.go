package cli

import (
	"time"
	"unicode/utf8"

	"github.com/ferrymq/ferrymq/client"
)

// contentView is what a producer sent, as JSON for programs. The body is text
// if it is UTF-8, else base64 in body_base64.
type contentView struct {
	Header        client.Header `json:"header,omitempty"`
	ContentType   string        `json:"content_type,omitempty"`
	CorrelationID string        `json:"correlation_id,omitempty"`
	DedupID       string        `json:"dedup_id,omitempty"`
	Subject       string        `json:"subject,omitempty"`
	ReplyTo       string        `json:"reply_to,omitempty"`
	Body          *string       `json:"body,omitempty"`
	BodyBase64    []byte        `json:"body_base64,omitempty"`
}

func viewContent(m *client.Message) contentView {
	v := contentView{
		Header: m.Header, ContentType: m.ContentType, CorrelationID: m.CorrelationID,
		DedupID: m.DedupID, Subject: m.Subject, ReplyTo: m.ReplyTo,
	}
	if utf8.Valid(m.Body) {
		text := string(m.Body)
		v.Body = &text
	} else {
		v.BodyBase64 = m.Body
	}
	return v
}

// deliveryView is a message that was handed out.
type deliveryView struct {
	Queue       string    `json:"queue"`
	ID          string    `json:"id"`
	Attempt     int       `json:"attempt"`
	Failures    int       `json:"failures"`
	Token       uint64    `json:"token,omitempty"`
	Redelivered bool      `json:"redelivered"`
	EnqueuedAt  time.Time `json:"enqueued_at"`
	Priority    *uint8    `json:"priority,omitempty"`
	Group       string    `json:"group,omitempty"`
	Tenant      string    `json:"tenant,omitempty"`
	Request     bool      `json:"request,omitempty"`
	Deadline    string    `json:"deadline,omitempty"` // RFC 3339
	contentView
	Death *deathView `json:"death,omitempty"`
}

func viewDelivery(d *client.Delivery) deliveryView {
	return deliveryView{
		Queue: d.Queue, ID: d.ID.String(), Attempt: d.Attempt, Failures: d.Failures, Token: d.Token,
		Redelivered: d.Redelivered, EnqueuedAt: d.EnqueuedAt.UTC(),
		Priority: d.Priority, Group: d.GroupKey, Tenant: d.Tenant,
		Request: d.IsRequest, Deadline: timeText(d.Deadline),
		contentView: viewContent(&d.Message), Death: viewDeath(d.Death),
	}
}

type deathView struct {
	Queue     string        `json:"queue"`
	Reason    string        `json:"reason"`
	Attempts  int           `json:"attempts"`
	Failures  int           `json:"failures"`
	Error     string        `json:"error"`
	At        time.Time     `json:"at"`
	History   []attemptView `json:"history,omitempty"` // the oldest first
	Forgotten int           `json:"forgotten,omitempty"`
}

func viewDeath(d *client.Death) *deathView {
	if d == nil {
		return nil
	}
	return &deathView{Queue: d.Queue, Reason: d.Reason, Attempts: d.Attempts, Failures: d.Failures, Error: d.Error,
		At: d.At.UTC(), History: viewAttempts(d.History), Forgotten: d.Forgotten}
}

// attemptView is an attempt that ended without success.
type attemptView struct {
	At       time.Time `json:"at"`
	Session  string    `json:"session"` // hex
	Consumer uint32    `json:"consumer"`
	Token    uint64    `json:"token"`
	Error    string    `json:"error"`
}

func viewAttempts(in []client.Attempt) (all []attemptView) {
	for _, t := range in {
		all = append(all, attemptView{At: t.At.UTC(), Session: sessionText(t.Session), Consumer: t.Consumer, Token: t.Token, Error: t.Error})
	}
	return all
}

// browsedView is a message in a queue.
type browsedView struct {
	ID         string    `json:"id"`
	Place      uint64    `json:"place"`
	State      string    `json:"state"`
	Bytes      int       `json:"bytes"`
	Attempts   int       `json:"attempts"`
	Failures   int       `json:"failures"`
	EnqueuedAt time.Time `json:"enqueued_at"`
	ReadyAt    string    `json:"ready_at,omitempty"`   // RFC 3339, as the other times
	ExpiresAt  string    `json:"expires_at,omitempty"` // none: never
	Priority   uint8     `json:"priority"`
	Group      string    `json:"group,omitempty"`
	Tenant     string    `json:"tenant,omitempty"`
	Alone      bool      `json:"alone,omitempty"`

	Token      uint64 `json:"token,omitempty"`
	Session    string `json:"session,omitempty"` // hex
	Consumer   uint32 `json:"consumer,omitempty"`
	LeaseUntil string `json:"lease_until,omitempty"`

	Death     *deathView    `json:"death,omitempty"`
	History   []attemptView `json:"history,omitempty"` // the oldest first
	Forgotten int           `json:"forgotten,omitempty"`

	*contentView        // with bodies
	Error        string `json:"error,omitempty"` // why there is none: it is corrupt
}

func viewBrowsed(m *client.BrowsedMessage) browsedView {
	v := browsedView{
		ID: m.ID.String(), Place: m.Place, State: m.State.String(), Bytes: m.Bytes,
		Attempts: m.Attempts, Failures: m.Failures, EnqueuedAt: m.EnqueuedAt.UTC(),
		ReadyAt: timeText(m.ReadyAt), ExpiresAt: timeText(m.ExpiresAt),
		Priority: m.Priority, Group: m.Group, Tenant: m.Tenant, Alone: m.Alone,
		Token: m.Token, Session: sessionText(m.Session), Consumer: m.Consumer, LeaseUntil: timeText(m.LeaseUntil),
		Death: viewDeath(m.Death), History: viewAttempts(m.History), Forgotten: m.Forgotten,
	}
	if m.Message != nil {
		content := viewContent(m.Message)
		v.contentView = &content
	}
	if m.Err != nil {
		v.Error = m.Err.Error()
	}
	return v
}
