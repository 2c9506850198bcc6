package transport

// The cold bodies' methods. A pointer field that is nil is msgpack's nil;
// nothing decoded aliases the payload.

// AppendTo appends the body.
func (h Hello) AppendTo(dst []byte) []byte { return appendBody(dst, &h) }

// Decode reads the body.
func (h *Hello) Decode(payload []byte) error { return Unmarshal(payload, h) }

// AppendTo appends the body.
func (h HelloOK) AppendTo(dst []byte) []byte { return appendBody(dst, &h) }

// Decode reads the body.
func (h *HelloOK) Decode(payload []byte) error { return Unmarshal(payload, h) }

// AppendTo appends the body.
func (g GroupInfo) AppendTo(dst []byte) []byte { return appendBody(dst, &g) }

// Decode reads the body.
func (g *GroupInfo) Decode(payload []byte) error { return Unmarshal(payload, g) }

// AppendTo appends the body.
func (n NodeInfo) AppendTo(dst []byte) []byte { return appendBody(dst, &n) }

// Decode reads the body.
func (n *NodeInfo) Decode(payload []byte) error { return Unmarshal(payload, n) }

// AppendTo appends the body.
func (o Open) AppendTo(dst []byte) []byte { return appendBody(dst, &o) }

// Decode reads the body.
func (o *Open) Decode(payload []byte) error { return Unmarshal(payload, o) }

// AppendTo appends the body.
func (a Attach) AppendTo(dst []byte) []byte { return appendBody(dst, &a) }

// Decode reads the body.
func (a *Attach) Decode(payload []byte) error { return Unmarshal(payload, a) }

// AppendTo appends the body.
func (e End) AppendTo(dst []byte) []byte { return appendBody(dst, &e) }

// Decode reads the body.
func (e *End) Decode(payload []byte) error { return Unmarshal(payload, e) }

// AppendTo appends the body.
func (r Reattach) AppendTo(dst []byte) []byte { return appendBody(dst, &r) }

// Decode reads the body.
func (r *Reattach) Decode(payload []byte) error { return Unmarshal(payload, r) }

// AppendTo appends the body.
func (c Consume) AppendTo(dst []byte) []byte { return appendBody(dst, &c) }

// Decode reads the body.
func (c *Consume) Decode(payload []byte) error { return Unmarshal(payload, c) }

// AppendTo appends the body.
func (c Cancel) AppendTo(dst []byte) []byte { return appendBody(dst, &c) }

// Decode reads the body.
func (c *Cancel) Decode(payload []byte) error { return Unmarshal(payload, c) }

// AppendTo appends the body.
func (q QueueCreate) AppendTo(dst []byte) []byte { return appendBody(dst, &q) }

// Decode reads the body.
func (q *QueueCreate) Decode(payload []byte) error { return Unmarshal(payload, q) }

// AppendTo appends the body.
func (q QueueUpdate) AppendTo(dst []byte) []byte { return appendBody(dst, &q) }

// Decode reads the body.
func (q *QueueUpdate) Decode(payload []byte) error { return Unmarshal(payload, q) }

// AppendTo appends the body.
func (q QueueDelete) AppendTo(dst []byte) []byte { return appendBody(dst, &q) }

// Decode reads the body.
func (q *QueueDelete) Decode(payload []byte) error { return Unmarshal(payload, q) }

// AppendTo appends the body.
func (q QueuePurge) AppendTo(dst []byte) []byte { return appendBody(dst, &q) }

// Decode reads the body.
func (q *QueuePurge) Decode(payload []byte) error { return Unmarshal(payload, q) }

// AppendTo appends the body.
func (q QueuePause) AppendTo(dst []byte) []byte { return appendBody(dst, &q) }

// Decode reads the body.
func (q *QueuePause) Decode(payload []byte) error { return Unmarshal(payload, q) }

// AppendTo appends the body.
func (q QueueBreaker) AppendTo(dst []byte) []byte { return appendBody(dst, &q) }

// Decode reads the body.
func (q *QueueBreaker) Decode(payload []byte) error { return Unmarshal(payload, q) }

// AppendTo appends the body.
func (g GroupResume) AppendTo(dst []byte) []byte { return appendBody(dst, &g) }

// Decode reads the body.
func (g *GroupResume) Decode(payload []byte) error { return Unmarshal(payload, g) }

// AppendTo appends the body.
func (t TenantWeight) AppendTo(dst []byte) []byte { return appendBody(dst, &t) }

// Decode reads the body.
func (t *TenantWeight) Decode(payload []byte) error { return Unmarshal(payload, t) }

// AppendTo appends the body.
func (t TopicCreate) AppendTo(dst []byte) []byte { return appendBody(dst, &t) }

// Decode reads the body.
func (t *TopicCreate) Decode(payload []byte) error { return Unmarshal(payload, t) }

// AppendTo appends the body.
func (t TopicDelete) AppendTo(dst []byte) []byte { return appendBody(dst, &t) }

// Decode reads the body.
func (t *TopicDelete) Decode(payload []byte) error { return Unmarshal(payload, t) }

// AppendTo appends the body.
func (s Subscribe) AppendTo(dst []byte) []byte { return appendBody(dst, &s) }

// Decode reads the body.
func (s *Subscribe) Decode(payload []byte) error { return Unmarshal(payload, s) }

// AppendTo appends the body.
func (e Error) AppendTo(dst []byte) []byte { return appendBody(dst, &e) }

// Decode reads the body.
func (e *Error) Decode(payload []byte) error { return Unmarshal(payload, e) }

// AppendTo appends the body.
func (g GoAway) AppendTo(dst []byte) []byte { return appendBody(dst, &g) }

// Decode reads the body.
func (g *GoAway) Decode(payload []byte) error { return Unmarshal(payload, g) }

// AppendTo appends the body.
func (q Query) AppendTo(dst []byte) []byte { return appendBody(dst, &q) }

// Decode reads the body.
func (q *Query) Decode(payload []byte) error { return Unmarshal(payload, q) }

// AppendTo appends the body.
func (c Control) AppendTo(dst []byte) []byte { return appendBody(dst, &c) }

// Decode reads the body.
func (c *Control) Decode(payload []byte) error { return Unmarshal(payload, c) }

// AppendTo appends the body.
func (q QueryReply) AppendTo(dst []byte) []byte { return appendBody(dst, &q) }

// Decode reads the body.
func (q *QueryReply) Decode(payload []byte) error { return Unmarshal(payload, q) }

// AppendTo appends the body.
func (q QueueInfo) AppendTo(dst []byte) []byte { return appendBody(dst, &q) }

// Decode reads the body.
func (q *QueueInfo) Decode(payload []byte) error { return Unmarshal(payload, q) }

// AppendTo appends the body.
func (q QueueList) AppendTo(dst []byte) []byte { return appendBody(dst, &q) }

// Decode reads the body.
func (q *QueueList) Decode(payload []byte) error { return Unmarshal(payload, q) }

// AppendTo appends the body.
func (c ClusterInfo) AppendTo(dst []byte) []byte { return appendBody(dst, &c) }

// Decode reads the body.
func (c *ClusterInfo) Decode(payload []byte) error { return Unmarshal(payload, c) }

// AppendTo appends the body.
func (p PeerHello) AppendTo(dst []byte) []byte { return appendBody(dst, &p) }

// Decode reads the body.
func (p *PeerHello) Decode(payload []byte) error { return Unmarshal(payload, p) }

// AppendTo appends the body.
func (p PeerClock) AppendTo(dst []byte) []byte { return appendBody(dst, &p) }

// Decode reads the body.
func (p *PeerClock) Decode(payload []byte) error { return Unmarshal(payload, p) }

// AppendTo appends the body.
func (p PeerRequest) AppendTo(dst []byte) []byte { return appendBody(dst, &p) }

// Decode reads the body.
func (p *PeerRequest) Decode(payload []byte) error { return Unmarshal(payload, p) }

// AppendTo appends the body.
func (p PeerReply) AppendTo(dst []byte) []byte { return appendBody(dst, &p) }

// Decode reads the body.
func (p *PeerReply) Decode(payload []byte) error { return Unmarshal(payload, p) }
