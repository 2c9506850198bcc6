package record

// Header is one key and value that the broker carries and does not read.
type Header struct {
	Key   string // 1 to KeyMax bytes
	Value string
}

// Message is what a producer hands in. Zero means absent.
type Message struct {
	Body          []byte
	Headers       []Header
	ContentType   string
	CorrelationID string

	DedupID         string
	GroupKey        string
	Priority        *uint8 // 0 to PriorityMax
	TTLMillis       uint64
	DelayMillis     uint64
	DeliverAtMillis uint64 // Unix
	ReplyTo         string
	Tenant          string
	DeadlineMillis  uint64 // Unix
	Subject         string
}

// each calls f for the attributes that are present, in ascending order of tag.
// A number's value is in n, any other's in s.
func (m *Message) each(f func(t Tag, s string, n uint64)) {
	text := func(t Tag, s string) {
		if s != "" {
			f(t, s, 0)
		}
	}
	number := func(t Tag, n uint64) {
		if n != 0 {
			f(t, "", n)
		}
	}
	text(TagContentType, m.ContentType)
	text(TagCorrelationID, m.CorrelationID)
	text(TagDedupID, m.DedupID)
	text(TagGroupKey, m.GroupKey)
	if m.Priority != nil {
		f(TagPriority, "", uint64(*m.Priority))
	}
	number(TagTTL, m.TTLMillis)
	number(TagDelay, m.DelayMillis)
	number(TagDeliverAt, m.DeliverAtMillis)
	text(TagReplyTo, m.ReplyTo)
	text(TagTenant, m.Tenant)
	number(TagDeadline, m.DeadlineMillis)
	text(TagSubject, m.Subject)
}
