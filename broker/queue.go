package broker

const (
	batchFirst  = 4 << 10 // bytes a batch begins with, at least
	commandBins = 5       // a command's msgpack head at most
)

// queue holds the commands of a lane that are not dispatched yet, cut into
// batches as they come: the encoder writes straight into the entry to be.
// Guarded by the lane's mutex.
type queue struct {
	batches []*batch
	bytes   int
	limit   int // a batch is closed when it would pass this
	hint    int // bytes of the last batches, to allocate the next one
}

// add appends one command. A command is never split; one above the limit has
// a batch of its own.
func (q *queue) add(o op, encode func([]byte) []byte) {
	b := q.last()
	start := len(b.commands)
	buf := encode(b.commands)
	size := len(buf) - start
	if start > 0 && len(buf) > q.limit {
		next := q.open(size)
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
	return q.open(0)
}

func (q *queue) open(size int) *batch {
	b := &batch{commands: make([]byte, 0, max(batchFirst, q.hint, size+commandBins))}
	q.batches = append(q.batches, b)
	return b
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
	// Half way to what this one needed: one small batch does not make the
	// next large one grow from nothing, one large does not waste memory for long.
	q.hint = min((q.hint+len(b.commands)*5/4)/2, q.limit+q.limit/4)
	return b
}

// takeAll empties the queue.
func (q *queue) takeAll() []*batch {
	all := q.batches
	q.batches, q.bytes = nil, 0
	return all
}
