package broker

const (
	batchFirst = 4 << 10   // bytes a batch begins with, at least
	spareMax   = 4         // batches kept for use again
	spareBytes = 512 << 10 // of commands in one that is kept, at most
)

// queue holds the commands of a lane that are not dispatched yet, cut into
// batches as they come: the encoder writes straight into the entry to be.
// Guarded by the lane's mutex.
type queue struct {
	batches []*batch
	bytes   int
	limit   int      // a batch is closed when it would pass this
	spare   []*batch // emptied
}

// add appends one command. A command is never split; one above the limit has
// a batch of its own.
func (q *queue) add(o op, encode func([]byte) []byte) {
	b := q.last()
	start := len(b.commands)
	buf := encode(b.commands)
	size := len(buf) - start
	if start > 0 && len(buf) > q.limit {
		next := q.open()
		b.commands = buf[:start]
		next.commands = append(next.commands, buf[start:]...)
		b = next
	} else {
		b.commands = buf
	}
	o.bytes = int32(size)
	b.ops = append(b.ops, o)
	q.bytes += size
}

func (q *queue) last() *batch {
	if n := len(q.batches); n > 0 && len(q.batches[n-1].commands) < q.limit {
		return q.batches[n-1]
	}
	return q.open()
}

func (q *queue) open() *batch {
	var b *batch
	if n := len(q.spare); n > 0 {
		b = q.spare[n-1]
		q.spare = q.spare[:n-1]
	} else {
		b = &batch{commands: make([]byte, 0, batchFirst)}
	}
	q.batches = append(q.batches, b)
	return b
}

// recycle takes back a batch that nobody looks at any more.
func (q *queue) recycle(b *batch) {
	if len(q.spare) == spareMax || cap(b.commands) > spareBytes {
		return
	}
	clear(b.ops)
	b.commands, b.ops = b.commands[:0], b.ops[:0]
	q.spare = append(q.spare, b)
}

// push puts one command in front of all others.
func (q *queue) push(o op, command []byte) {
	o.bytes = int32(len(command))
	first := &batch{commands: append([]byte(nil), command...), ops: []op{o}}
	q.batches = append([]*batch{first}, q.batches...)
	q.bytes += len(command)
}

// take removes the first batch, nil if there is none.
func (q *queue) take() *batch {
	if len(q.batches) == 0 {
		return nil
	}
	b := q.batches[0]
	n := copy(q.batches, q.batches[1:])
	q.batches[n] = nil
	q.batches = q.batches[:n]
	q.bytes -= len(b.commands)
	return b
}

// takeAll empties the queue.
func (q *queue) takeAll() []*batch {
	all := q.batches
	q.batches, q.bytes = nil, 0
	return all
}
