package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func messages() *rapid.Generator[*Message] {
	text := rapid.StringN(0, 40, KeyMax)
	return rapid.Custom(func(t *rapid.T) *Message {
		m := &Message{
			Body:        rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "body"),
			ContentType: text.Draw(t, "type"), CorrelationID: text.Draw(t, "correlation"), DedupID: text.Draw(t, "dedup"),
			GroupKey: text.Draw(t, "group"), ReplyTo: text.Draw(t, "reply"), Tenant: text.Draw(t, "tenant"),
			TTLMillis: rapid.Uint64().Draw(t, "ttl"), DelayMillis: rapid.Uint64().Draw(t, "delay"),
			DeliverAtMillis: rapid.Uint64().Draw(t, "at"), DeadlineMillis: rapid.Uint64().Draw(t, "deadline"),
		}
		if rapid.Bool().Draw(t, "has priority") {
			p := rapid.Uint8Range(0, PriorityMax).Draw(t, "priority")
			m.Priority = &p
		}
		for range rapid.IntRange(0, HeadersMax).Draw(t, "headers") {
			m.Headers = append(m.Headers, Header{Key: "k" + rapid.StringN(0, 20, KeyMax-1).Draw(t, "key"), Value: text.Draw(t, "value")})
		}
		return m
	})
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := messages().Draw(t, "message")
		prefix := []byte("before")
		b, err := Append(prefix, m)
		if err != nil {
			t.Fatal(err)
		}
		b = b[len(prefix):]
		if len(b) != Size(m) {
			t.Fatalf("%d bytes, Size says %d", len(b), Size(m))
		}
		v, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		var info Info
		err = info.Peek(b)
		if err != nil || info.Size != len(b) || info.Logical != LogicalSize(m) || v.LogicalSize() != info.Logical {
			t.Fatalf("%+v, %v", info, err)
		}
		got := v.Message()
		if got.Body == nil {
			got.Body = []byte{}
		}
		if !reflect.DeepEqual(&got, m) || v.ContentType() != m.ContentType || v.CorrelationID() != m.CorrelationID {
			t.Fatalf("%+v became %+v", m, got)
		}
		for _, c := range []struct {
			t       Tag
			present bool
			same    bool
		}{
			{TagContentType, m.ContentType != "", true},
			{TagDedupID, m.DedupID != "", string(info.DedupID) == m.DedupID},
			{TagGroupKey, m.GroupKey != "", string(info.Group) == m.GroupKey},
			{TagTenant, m.Tenant != "", string(info.Tenant) == m.Tenant},
			{TagReplyTo, m.ReplyTo != "", string(info.ReplyTo) == m.ReplyTo},
			{TagSubject, m.Subject != "", string(info.Subject) == m.Subject},
			{TagPriority, m.Priority != nil, m.Priority != nil && info.Priority == *m.Priority},
			{TagTTL, m.TTLMillis != 0, info.TTLMillis == m.TTLMillis},
			{TagDelay, m.DelayMillis != 0, info.DelayMillis == m.DelayMillis},
			{TagDeliverAt, m.DeliverAtMillis != 0, info.DeliverAtMillis == m.DeliverAtMillis},
			{TagDeadline, m.DeadlineMillis != 0, info.DeadlineMillis == m.DeadlineMillis},
		} {
			if info.Present.Has(c.t) != c.present || c.present && !c.same {
				t.Fatalf("%v: %+v of %+v", c.t, info, m)
			}
		}
	})
}

// TestEveryBitCounts changes each bit and cuts at each byte.
func TestEveryBitCounts(t *testing.T) {
	for name := range goldens() {
		good := readHex(t, name)
		for i := range 8 * len(good) {
			bad := bytes.Clone(good)
			bad[i/8] ^= 1 << (i % 8)
			if Check(bad) == nil {
				t.Errorf("%s: bit %d changed, and nobody noticed", name, i)
			}
		}
		for i := range good {
			if err := Check(good[:i]); !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrLength) {
				t.Errorf("%s: first %d bytes: %v", name, i, err)
			}
			if err := new(Info).Peek(good[:i]); err == nil {
				t.Errorf("%s: first %d bytes are taken", name, i)
			}
		}
		if err := Check(append(bytes.Clone(good), 0)); !errors.Is(err, ErrLength) {
			t.Errorf("%s: trailing byte: %v", name, err)
		}
	}
}

func TestMessageLimits(t *testing.T) {
	long := strings.Repeat("x", KeyMax+1)
	high := uint8(PriorityMax + 1)
	headers := func(n int, value string) []Header {
		var out []Header
		for range n {
			out = append(out, Header{"k", value})
		}
		return out
	}
	for name, test := range map[string]struct {
		m    Message
		want error
		part string
	}{
		"body":          {Message{Body: make([]byte, MessageMax+1)}, ErrTooLarge, "message"},
		"body, headers": {Message{Body: make([]byte, MessageMax-3), Headers: headers(1, "")}, nil, ""},
		"one more":      {Message{Body: make([]byte, MessageMax-2), Headers: headers(1, "")}, ErrTooLarge, "message"},
		"count":         {Message{Headers: headers(HeadersMax+1, "")}, ErrTooMany, "headers"},
		"header bytes":  {Message{Headers: headers(2, strings.Repeat("v", HeaderBytesMax/2))}, ErrTooLarge, "headers"},
		"empty key":     {Message{Headers: []Header{{"", "v"}}}, ErrValue, "headers"},
		"long key":      {Message{Headers: []Header{{long, "v"}}}, ErrTooLarge, "headers"},
		"key text":      {Message{Headers: []Header{{"\xff", "v"}}}, ErrUTF8, "headers"},
		"value text":    {Message{Headers: []Header{{"k", "\xff"}}}, ErrUTF8, "headers"},
		"content type":  {Message{ContentType: long}, ErrTooLarge, "content type"},
		"correlation":   {Message{CorrelationID: "\xff"}, ErrUTF8, "correlation id"},
		"priority":      {Message{Priority: &high}, ErrValue, "priority"},
	} {
		b, err := Append([]byte("kept"), &test.m)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
			continue
		}
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Part != test.part || string(b) != "kept") {
			t.Errorf("%s: %v with %d bytes", name, err, len(b))
		}
		if err == nil && Check(b[4:]) != nil {
			t.Errorf("%s: appended and refused", name)
		}
	}
}

// build makes a record of parts as they are, with the right checksum.
func build(attributes, headers, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(HeadSize+len(attributes)+len(headers)+len(body)))
	b = append(b, Version, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(attributes)))
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(headers)))
	b = append(append(append(b, attributes...), headers...), body...)
	binary.BigEndian.PutUint32(b[offCRC:], checksum(b))
	return b
}

func TestWrongStructure(t *testing.T) {
	head := func(off int, x byte) []byte {
		b := build("", "", "body")
		b[off] = x
		binary.BigEndian.PutUint32(b[offCRC:], checksum(b))
		return b
	}
	for name, test := range map[string]struct {
		b    []byte
		want error
		peek bool // Peek finds it too
	}{
		"version":            {head(offVersion, 2), ErrVersion, true},
		"flags":              {head(offFlags, 1), ErrFlags, true},
		"length":             {head(3, 1), ErrLength, true},
		"attributes beyond":  {head(offAttributes+1, 5), ErrLength, true},
		"attributes size":    {head(offAttributes, 0xff), ErrTooLarge, true},
		"headers beyond":     {head(offHeaders+3, 5), ErrLength, true},
		"headers size":       {head(offHeaders, 1), ErrTooLarge, true},
		"message size":       {build("", "", strings.Repeat("x", MessageMax+1)), ErrTooLarge, true},
		"tag zero":           {build("\x00\x01a", "", ""), ErrOrder, true},
		"tags equal":         {build("\x01\x01a\x01\x01a", "", ""), ErrOrder, true},
		"tags descending":    {build("\x02\x01a\x01\x01a", "", ""), ErrOrder, true},
		"unknown tag":        {build("\x0d\x01a", "", ""), ErrUnknownAttribute, true},
		"attribute's length": {build("\x01\x09a", "", ""), ErrTruncated, true},
		"attribute cut":      {build("\x01", "", ""), ErrVarint, true},
		"long varint":        {build("\x01\x81\x00a", "", ""), ErrVarint, true},
		"huge varint":        {build("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "", ""), ErrVarint, true},
		"empty text":         {build("\x01\x00", "", ""), ErrValue, true},
		"size of ttl":        {build("\x06\x01a", "", ""), ErrValue, true},
		"priority":           {build("\x05\x01\x20", "", ""), ErrValue, true},
		"text":               {build("\x01\x01\xff", "", ""), ErrUTF8, false},
		"header cut":         {build("", "\x01k", ""), ErrVarint, false},
		"header's length":    {build("", "\x01k\x05v", ""), ErrTruncated, false},
		"empty key":          {build("", "\x00\x00", ""), ErrValue, false},
		"header text":        {build("", "\x01k\x01\xff", ""), ErrUTF8, false},
		"header count":       {build("", strings.Repeat("\x01k\x00", HeadersMax+1), ""), ErrTooMany, false},
	} {
		if err := Check(test.b); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if err := new(Info).Peek(test.b); test.peek != errors.Is(err, test.want) {
			t.Errorf("%s: Peek: %v", name, err)
		}
	}
	ignorable := build("\x01\x01a\x80\x03xyz\xff\x00", "", "body")
	v, err := Parse(ignorable)
	if err != nil || string(v.Body()) != "body" || v.ContentType() != "a" {
		t.Errorf("unknown attributes from 128 on: %v", err)
	}
}

func TestZeroView(t *testing.T) {
	var v View
	for range v.Headers() {
		t.Error("headers")
	}
	for range v.Attributes() {
		t.Error("attributes")
	}
	if v.Body() != nil || v.LogicalSize() != 0 || v.ContentType() != "" {
		t.Error("contents")
	}
}

func TestLookingAllocatesNothing(t *testing.T) {
	b := readHex(t, "rich")
	m := goldens()["rich"]
	buf := make([]byte, 0, 1024)
	for name, f := range map[string]func(){
		"Check":  func() { _ = Check(b) },
		"Peek":   func() { _ = new(Info).Peek(b) },
		"Parse":  func() { _, _ = Parse(b) },
		"Append": func() { _, _ = Append(buf, m) },
		"Headers": func() {
			v, _ := Parse(b)
			for k := range v.Headers() {
				_ = k
			}
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestSet(t *testing.T) {
	if s := Set(1<<TagTTL | 1<<TagTenant); !s.Has(TagTTL) || !s.Has(TagTenant) || s.Has(TagDelay) || s.Has(200) {
		t.Error("set")
	}
	if TagTTL.String() != "ttl" || Tag(0).String() != "unknown attribute" || Tag(200).String() != "unknown attribute" {
		t.Error("names")
	}
}
