package record

import (
	"encoding/binary"
	"iter"
)

// View looks into a record that was checked. It aliases the record's bytes.
type View struct {
	b []byte
	h head
}

// Parse checks a record that is exactly b and opens it.
func Parse(b []byte) (View, error) {
	if err := Check(b); err != nil {
		return View{}, err
	}
	h, err := scanHead(b)
	return View{b: b, h: h}, err
}

// Bytes is the record itself.
func (v View) Bytes() []byte { return v.b }

// Body of the message.
func (v View) Body() []byte {
	if v.b == nil {
		return nil
	}
	return v.b[v.h.body():]
}

// LogicalSize is the size of headers and body.
func (v View) LogicalSize() int { return v.h.headers + len(v.Body()) }

// Headers in the producer's order.
func (v View) Headers() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for off, end := HeadSize+v.h.attributes, v.h.body(); off < end && v.b != nil; {
			key, value, next, err := nextHeader(v.b, off, end)
			if err != nil || !yield(key, value) { // Parse left no errors
				return
			}
			off = next
		}
	}
}

// Attributes in ascending order of tag.
func (v View) Attributes() iter.Seq2[Tag, []byte] {
	return func(yield func(t Tag, value []byte) bool) {
		if v.b == nil {
			return
		}
		for a := v.h.eachAttribute(v.b); a.more(); {
			t, value, err := a.next()
			if err != nil || !yield(t, value) { // Parse left no errors
				return
			}
		}
	}
}

// Text is the value of a text attribute, "" if it is absent.
func (v View) Text(t Tag) string {
	for tag, value := range v.Attributes() {
		if tag == t {
			return string(value)
		}
	}
	return ""
}

// ContentType of the body.
func (v View) ContentType() string { return v.Text(TagContentType) }

// CorrelationID of the message.
func (v View) CorrelationID() string { return v.Text(TagCorrelationID) }

// Message copies everything out of the record.
func (v View) Message() Message {
	m := Message{Body: append([]byte(nil), v.Body()...)}
	for key, value := range v.Headers() {
		m.Headers = append(m.Headers, Header{Key: string(key), Value: string(value)})
	}
	for t, value := range v.Attributes() {
		m.set(t, value)
	}
	return m
}

func (m *Message) set(t Tag, value []byte) {
	switch t {
	case TagContentType:
		m.ContentType = string(value)
	case TagCorrelationID:
		m.CorrelationID = string(value)
	case TagDedupID:
		m.DedupID = string(value)
	case TagGroupKey:
		m.GroupKey = string(value)
	case TagPriority:
		priority := value[0]
		m.Priority = &priority
	case TagTTL:
		m.TTLMillis = binary.BigEndian.Uint64(value)
	case TagDelay:
		m.DelayMillis = binary.BigEndian.Uint64(value)
	case TagDeliverAt:
		m.DeliverAtMillis = binary.BigEndian.Uint64(value)
	case TagReplyTo:
		m.ReplyTo = string(value)
	case TagTenant:
		m.Tenant = string(value)
	case TagDeadline:
		m.DeadlineMillis = binary.BigEndian.Uint64(value)
	case TagSubject:
		m.Subject = string(value)
	}
}
