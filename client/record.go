package client

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
	"github.com/ferrymq/ferrymq/transport"
)

// A Message and the record that stands for it in frames and in the log.

// recordOf is the message as its record has it, headers in a fixed order. What
// the record can carry and no node takes is left to the node to refuse.
func recordOf(m *Message) (record.Message, error) {
	r := record.Message{
		Body: m.Body, ContentType: m.ContentType, CorrelationID: m.CorrelationID,
		DedupID: m.DedupID, GroupKey: m.GroupKey, Priority: m.Priority,
		ReplyTo: m.ReplyTo, Tenant: m.Tenant, Subject: m.Subject,
	}
	if m.TTL != 0 || m.Delay != 0 || !m.DeliverAt.IsZero() {
		if err := times(&r, m); err != nil {
			return r, err
		}
	}
	if len(m.Header) == 0 {
		return r, nil
	}
	names := make([]string, 0, len(m.Header))
	for name := range m.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range m.Header[name] {
			r.Headers = append(r.Headers, record.Header{Key: name, Value: value})
		}
	}
	return r, nil
}

// times takes over TTL and delay.
func times(r *record.Message, m *Message) error {
	bad := ""
	at := m.DeliverAt.Add(time.Millisecond - 1).UnixMilli() // not before
	switch {
	case m.TTL < 0 || m.TTL > MaxTTL:
		bad = fmt.Sprintf("TTL %v: 0s to %v are possible", m.TTL, MaxTTL)
	case m.Delay < 0 || m.Delay > MaxDelay:
		bad = fmt.Sprintf("delay %v: 0s to %v are possible", m.Delay, MaxDelay)
	case m.Delay > 0 && !m.DeliverAt.IsZero():
		bad = "both a delay and a time of delivery"
	case !m.DeliverAt.IsZero() && at <= 0:
		bad = "a time of delivery before 1970"
	}
	if bad != "" {
		return localError(transport.CodeInvalid, "message", "", bad, nil)
	}
	r.TTLMillis, r.DelayMillis = uint64(roundUp(m.TTL)), uint64(roundUp(m.Delay))
	if !m.DeliverAt.IsZero() {
		r.DeliverAtMillis = uint64(at)
	}
	return nil
}

// roundUp is the duration in milliseconds, never shorter than it is.
func roundUp(d time.Duration) int64 {
	ms := d.Milliseconds()
	if d > time.Duration(ms)*time.Millisecond {
		ms++
	}
	return ms
}

// messageOf is the message of a record, and the deadline of a request. Its
// body aliases the record.
func messageOf(b []byte) (m Message, deadline time.Time, err error) {
	v, err := record.Parse(b)
	if err != nil {
		return m, deadline, err
	}
	m.Body = v.Body()
	for tag, value := range v.Attributes() {
		if tag == record.TagDeadline {
			deadline = unixMilli(value)
		} else {
			m.set(tag, value)
		}
	}
	for key, value := range v.Headers() {
		if m.Header == nil {
			m.Header = Header{}
		}
		m.Header.Add(string(key), string(value))
	}
	return m, deadline, nil
}

func (m *Message) set(tag record.Tag, value []byte) {
	switch tag {
	case record.TagContentType:
		m.ContentType = string(value)
	case record.TagCorrelationID:
		m.CorrelationID = string(value)
	case record.TagDedupID:
		m.DedupID = string(value)
	case record.TagGroupKey:
		m.GroupKey = string(value)
	case record.TagPriority:
		m.Priority = Priority(value[0])
	case record.TagTTL:
		m.TTL = duration(value)
	case record.TagDelay:
		m.Delay = duration(value)
	case record.TagDeliverAt:
		m.DeliverAt = unixMilli(value)
	case record.TagReplyTo:
		m.ReplyTo = string(value)
	case record.TagTenant:
		m.Tenant = string(value)
	case record.TagSubject:
		m.Subject = string(value)
	}
}

// maxMillis is the longest duration in milliseconds.
const maxMillis = uint64(1<<63-1) / uint64(time.Millisecond)

func duration(value []byte) time.Duration {
	return time.Duration(min(binary.BigEndian.Uint64(value), maxMillis)) * time.Millisecond
}

func unixMilli(value []byte) time.Time {
	return time.UnixMilli(int64(min(binary.BigEndian.Uint64(value), 1<<62)))
}

// deathOf is why a message is a dead letter, nil for one that is not.
func deathOf(in *transport.Death) *Death {
	if in == nil {
		return nil
	}
	return &Death{
		Queue: in.Queue, Reason: in.Reason, Error: in.Error,
		Attempts: int(in.Attempts), Failures: int(in.Failures), At: time.UnixMilli(in.AtMs),
		History: attemptsOf(in.History), Forgotten: int(in.Forgotten),
	}
}

func attemptsOf(in []transport.Attempt) (all []Attempt) {
	for _, a := range in {
		all = append(all, Attempt{
			At: time.UnixMilli(a.AtMs), Session: a.Session, Consumer: a.Consumer, Token: a.Token, Error: a.Error,
		})
	}
	return all
}
