package broker

import (
	"github.com/ferrymq/ferrymq/transport"
)

const (
	relayFrameBytes = 1 << 20 // a frame between nodes is closed when it would pass this
	relayFrameItems = 4096
	headBytes       = 192 // of a delivery, answer or result around what varies, at most
	firstBytes      = 16  // of a verdict that names the first message, beside the rest
	attemptBytes    = 48  // of an attempt in a death, beside its error
)

// relay hands what an entry has for another node to its link. Without one it
// is dropped: sessions there are detached, and get it again when they attach;
// consumers without acks never do.
func (b *Broker) relay(l *lane, node string, item *relayItem) {
	p := b.peer(node)
	if p == nil {
		return
	}
	if item.asker != nil && item.asker != p {
		item.results = nil // the link was replaced meanwhile
	}
	l.mu.Lock()
	term := l.info.Term
	l.mu.Unlock()
	p.mu.Lock()
	p.queue = append(p.queue, relayJob{lane: l, term: term, item: item})
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *peer) run() {
	defer close(p.done)
	for {
		p.mu.Lock()
		jobs := p.queue
		p.queue = nil
		p.mu.Unlock()
		for i := range jobs {
			if err := p.send(&jobs[i]); err != nil {
				p.b.log.Debug("relay ended", "node", p.name, "err", err)
				<-p.ctx.Done() // the link's end is told by PeerDown
				return
			}
			jobs[i] = relayJob{}
		}
		if len(jobs) > 0 {
			continue
		}
		select {
		case <-p.wake:
		case <-p.ctx.Done():
			return
		}
	}
}

// send sends what an entry has for the node: one frame, unless it is too large.
func (p *peer) send(j *relayJob) error {
	e := transport.PeerEvents{Group: j.lane.id, Term: j.term}
	size := 0
	room := func(n int) error {
		items := contents(&e)
		if items == 0 || size+n <= relayFrameBytes && items < relayFrameItems {
			size += n
			return nil
		}
		err := p.sendEvents(&e, size)
		e.Results, e.Deliveries, e.Closed, e.Answers = e.Results[:0], e.Deliveries[:0], e.Closed[:0], e.Answers[:0]
		size = n
		return err
	}
	for i := range j.item.results {
		r := &j.item.results[i]
		if err := room(resultBytes(&r.Result)); err != nil {
			return err
		}
		e.Results = append(e.Results, *r)
	}
	for i := range j.item.deliveries {
		d := &j.item.deliveries[i]
		if err := room(deliveryBytes(&d.head.Delivery, d.ref.Len())); err != nil {
			return err
		}
		record, err := d.ref.Load()
		if err != nil {
			p.b.bodyLost(&d.head.Delivery, err)
			continue
		}
		d.head.Delivery.Record = record
		e.Deliveries = append(e.Deliveries, d.head)
	}
	if j.item.began {
		return p.sendFrame(&e, 0) // without content: that is what says it
	}
	for _, x := range j.item.closed {
		if err := room(headBytes); err != nil {
			return err
		}
		e.Closed = append(e.Closed, x)
	}
	for i := range j.item.answers {
		a := &j.item.answers[i]
		if err := room(headBytes + a.ref.Len()); err != nil {
			return err
		}
		if loadAnswer(p.b, &a.head.Answer, a.ref) {
			e.Answers = append(e.Answers, a.head)
		}
	}
	return p.sendEvents(&e, size)
}

// contents counts what is in a frame to another node.
func contents(e *transport.PeerEvents) int {
	return len(e.Results) + len(e.Deliveries) + len(e.Closed) + len(e.Answers)
}

func (p *peer) sendEvents(e *transport.PeerEvents, size int) error {
	if contents(e) == 0 {
		return nil
	}
	return p.sendFrame(e, size)
}

func (p *peer) sendFrame(e *transport.PeerEvents, size int) error {
	payload := e.AppendTo(make([]byte, 0, size+headBytes))
	return p.b.o.Peers.Send(p.ctx, p.name, transport.Frame{Op: transport.OpPeerEvents, Payload: payload})
}

func resultBytes(r *transport.Result) int {
	n := headBytes + len(r.Detail) + 8*len(r.Items)
	for i := range r.Items {
		if r.Items[i].FirstIndex != 0 {
			n += firstBytes
		}
	}
	return n
}

func deliveryBytes(d *transport.Delivery, record int) int {
	n := headBytes + record
	if d.Death != nil {
		n += deathBytes(d.Death)
	}
	return n
}

func deathBytes(d *transport.Death) int {
	return headBytes + len(d.Queue) + len(d.Reason) + len(d.Error) + attemptsBytes(d.History)
}

func attemptsBytes(list []transport.Attempt) (n int) {
	for i := range list {
		n += attemptBytes + len(list[i].Error)
	}
	return n
}

// bodyLost is called for a message whose body cannot be read: it stays leased
// and comes again when the lease has run out.
func (b *Broker) bodyLost(d *transport.Delivery, err error) {
	b.log.Error("message without body not delivered", "group", d.Group, "index", d.Index, "position", d.Position, "err", err)
}
