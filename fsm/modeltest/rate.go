package modeltest

// bucket of tokens that hand-outs take, in thousandths.
type bucket struct {
	tokens int64
	at     int64 // lease clock up to which it was filled
}

const tokenWhole = 1000

// fill the bucket up to now; a rate of r a second is r thousandths a
// millisecond.
func (q *queue) fillBucket(now int64) {
	full := int64(q.settings.DispatchBurst) * tokenWhole
	q.bucket.tokens = min(full, q.bucket.tokens+(now-q.bucket.at)*int64(q.settings.DispatchRate))
	q.bucket.at = now
}

// fullBucket is what a queue begins with.
func (q *queue) fullBucket(now int64) {
	q.bucket = bucket{tokens: int64(q.settings.DispatchBurst) * tokenWhole, at: now}
}

func (q *queue) limited() bool { return q.settings.DispatchRate > 0 }

// hasToken tells whether the rate lets one more message out.
func (q *queue) hasToken() bool { return !q.limited() || q.bucket.tokens >= tokenWhole }

func (q *queue) takeToken() {
	if q.limited() {
		q.bucket.tokens -= tokenWhole
	}
}
