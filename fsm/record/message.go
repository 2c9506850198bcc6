package record

// Header is one key and value that the broker carries and does not read.
type Header struct {
	Key   string // 1 to KeyMax bytes
	Value string
}

// Message is what a producer hands in. Zero means absent; what is marked
// reserved is refused as unsupported for now.
type Message struct {
	Body          []byte
	Headers       []Header
	ContentType   string
	CorrelationID string

	DedupID         string // reserved
	GroupKey        string // reserved
	Priority        *uint8 // reserved; 0 to PriorityMax
	TTLMillis       uint64 // reserved
	DelayMillis     uint64 // reserved
	DeliverAtMillis uint64 // reserved; Unix
	ReplyTo         string // reserved
	Tenant          string // reserved
	DeadlineMillis  uint64 // reserved; Unix
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
}
