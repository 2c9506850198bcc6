package transport

// The methods of what queries ask and answer.

// AppendTo appends the body.
func (t TopicInfo) AppendTo(dst []byte) []byte { return appendBody(dst, &t) }

// Decode reads the body.
func (t *TopicInfo) Decode(payload []byte) error { return Unmarshal(payload, t) }

// AppendTo appends the body.
func (t TopicList) AppendTo(dst []byte) []byte { return appendBody(dst, &t) }

// Decode reads the body.
func (t *TopicList) Decode(payload []byte) error { return Unmarshal(payload, t) }

// AppendTo appends the body.
func (t TenantList) AppendTo(dst []byte) []byte { return appendBody(dst, &t) }

// Decode reads the body.
func (t *TenantList) Decode(payload []byte) error { return Unmarshal(payload, t) }

// AppendTo appends the body.
func (b BrowseQuery) AppendTo(dst []byte) []byte { return appendBody(dst, &b) }

// Decode reads the body.
func (b *BrowseQuery) Decode(payload []byte) error { return Unmarshal(payload, b) }

// AppendTo appends the body.
func (b BrowseReply) AppendTo(dst []byte) []byte { return appendBody(dst, &b) }

// Decode reads the body.
func (b *BrowseReply) Decode(payload []byte) error { return Unmarshal(payload, b) }

// AppendTo appends the body.
func (e ExplainReply) AppendTo(dst []byte) []byte { return appendBody(dst, &e) }

// Decode reads the body.
func (e *ExplainReply) Decode(payload []byte) error { return Unmarshal(payload, e) }

// AppendTo appends the body.
func (t TraceQuery) AppendTo(dst []byte) []byte { return appendBody(dst, &t) }

// Decode reads the body.
func (t *TraceQuery) Decode(payload []byte) error { return Unmarshal(payload, t) }

// AppendTo appends the body.
func (t TraceReply) AppendTo(dst []byte) []byte { return appendBody(dst, &t) }

// Decode reads the body.
func (t *TraceReply) Decode(payload []byte) error { return Unmarshal(payload, t) }
