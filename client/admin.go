package client

import (
	"context"
	"iter"

	"github.com/ferrymq/ferrymq/transport"
)

// listPage is how many queues one read asks for.
const listPage = 500

// DeleteOption of DeleteQueue.
type DeleteOption func(*deleteOptions)

type deleteOptions struct{ ifEmpty, ifUnused bool }

// IfEmpty deletes the queue only if it holds no message.
func IfEmpty() DeleteOption { return func(o *deleteOptions) { o.ifEmpty = true } }

// IfUnused deletes the queue only if it has no consumer.
func IfUnused() DeleteOption { return func(o *deleteOptions) { o.ifUnused = true } }

// ReadOption of reads. A read is linearizable unless Stale is given.
type ReadOption func(*readOptions)

type readOptions struct{ stale bool }

// Stale reads from the node connected to, without asking the leader.
func Stale() ReadOption { return func(o *readOptions) { o.stale = true } }

// CreateQueue makes a queue and its dead-letter queue. One that exists with
// the same settings is fine; with others the error Is ErrConflict.
func (c *Conn) CreateQueue(ctx context.Context, name string, s QueueSettings) error {
	settings, err := s.wire()
	if err != nil {
		return about(err, "create queue", name)
	}
	return c.change(ctx, transport.OpQueueCreate, "create queue", name, func(h transport.OpHeader) appender {
		return transport.QueueCreate{OpHeader: h, Queue: name, Settings: settings}
	})
}

// UpdateQueue replaces the queue's settings.
func (c *Conn) UpdateQueue(ctx context.Context, name string, s QueueSettings) error {
	settings, err := s.wire()
	if err != nil {
		return about(err, "update queue", name)
	}
	return c.change(ctx, transport.OpQueueUpdate, "update queue", name, func(h transport.OpHeader) appender {
		return transport.QueueUpdate{OpHeader: h, Queue: name, Settings: settings}
	})
}

// DeleteQueue deletes the queue, its dead-letter queue and all their messages.
func (c *Conn) DeleteQueue(ctx context.Context, name string, opts ...DeleteOption) error {
	var o deleteOptions
	for _, opt := range opts {
		opt(&o)
	}
	return c.change(ctx, transport.OpQueueDelete, "delete queue", name, func(h transport.OpHeader) appender {
		return transport.QueueDelete{OpHeader: h, Queue: name, IfEmpty: o.ifEmpty, IfUnused: o.ifUnused}
	})
}

// PurgeQueue deletes the messages that nobody holds and returns their number.
// Parked message groups that have none then are parked no more.
func (c *Conn) PurgeQueue(ctx context.Context, name string) (uint64, error) {
	return c.changed(ctx, transport.OpQueuePurge, "purge queue", name, func(h transport.OpHeader) appender {
		return transport.QueuePurge{OpHeader: h, Queue: name}
	})
}

// PauseQueue stops handing messages out; publishing and settling go on.
func (c *Conn) PauseQueue(ctx context.Context, name string) error {
	return c.change(ctx, transport.OpQueuePause, "pause queue", name, func(h transport.OpHeader) appender {
		return transport.QueuePause{OpHeader: h, Queue: name, Paused: true}
	})
}

// ResumeQueue hands messages out again.
func (c *Conn) ResumeQueue(ctx context.Context, name string) error {
	return c.change(ctx, transport.OpQueuePause, "resume queue", name, func(h transport.OpHeader) appender {
		return transport.QueuePause{OpHeader: h, Queue: name}
	})
}

// Queue describes a queue.
func (c *Conn) Queue(ctx context.Context, name string, opts ...ReadOption) (QueueInfo, error) {
	if err := checkQueue("read queue", name); err != nil {
		return QueueInfo{}, err
	}
	var info transport.QueueInfo
	err := c.query(ctx, "read queue", transport.Query{Kind: transport.QueryQueue, Name: name}, &info, opts)
	return queueInfoFrom(info), err
}

// Queues lists the queues whose names begin with prefix, in order of name.
// The error is the last pair.
func (c *Conn) Queues(ctx context.Context, prefix string, opts ...ReadOption) iter.Seq2[QueueInfo, error] {
	return c.queueList(ctx, "list queues", transport.Query{Kind: transport.QueryQueues, Name: prefix}, opts)
}

func (c *Conn) queueList(ctx context.Context, name string, q transport.Query, opts []ReadOption) iter.Seq2[QueueInfo, error] {
	return paged(q, func(q transport.Query) ([]transport.QueueInfo, bool, error) {
		var list transport.QueueList
		err := c.query(ctx, name, q, &list, opts)
		return list.Queues, list.More, err
	}, func(info transport.QueueInfo) (QueueInfo, string) { return queueInfoFrom(info), info.Name })
}

// paged lists by name, page by page.
func paged[W, T any](q transport.Query, page func(transport.Query) ([]W, bool, error),
	from func(W) (T, string)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q := q // every range begins anew
		q.Limit = listPage
		for {
			list, more, err := page(q)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, each := range list {
				info, name := from(each)
				if !yield(info, nil) {
					return
				}
				q.After = name
			}
			if !more || len(list) == 0 {
				return
			}
		}
	}
}

// Cluster describes the groups and their members.
func (c *Conn) Cluster(ctx context.Context, opts ...ReadOption) (ClusterInfo, error) {
	var info transport.ClusterInfo
	err := c.query(ctx, "read cluster", transport.Query{Kind: transport.QueryCluster}, &info, opts)
	return clusterInfoFrom(info), err
}

// TransferLeader hands leadership over to the node, or with "" to any.
func (c *Conn) TransferLeader(ctx context.Context, node string) error {
	return c.steer(ctx, "transfer leader", transport.Control{Kind: "transfer-leader", Node: node})
}

// RemoveNode takes the node out of the cluster.
func (c *Conn) RemoveNode(ctx context.Context, node string) error {
	return c.steer(ctx, "remove node", transport.Control{Kind: "remove", Node: node})
}

// appender is a body that encodes itself.
type appender interface{ AppendTo(dst []byte) []byte }

func (c *Conn) change(ctx context.Context, op transport.Op, name, queue string,
	body func(transport.OpHeader) appender) error {
	_, err := c.changed(ctx, op, name, queue, body)
	return err
}

func (c *Conn) changed(ctx context.Context, op transport.Op, name, queue string,
	body func(transport.OpHeader) appender) (uint64, error) {
	if err := checkQueue(name, queue); err != nil {
		return 0, err
	}
	r, err := c.operate(ctx, &control{
		op: op, name: name, resource: queue,
		encode: func(dst []byte, h transport.OpHeader) []byte { return body(h).AppendTo(dst) },
	}, nil)
	return r.Value, err
}

// query asks and decodes the reply's body.
func (c *Conn) query(ctx context.Context, name string, q transport.Query, into any, opts []ReadOption) error {
	_, err := c.queryGroup(ctx, name, q, into, opts)
	return err
}

// queryGroup is query that tells which group was asked. Ids of messages say that
// themselves.
func (c *Conn) queryGroup(ctx context.Context, name string, q transport.Query, into any, opts []ReadOption) (group uint32, err error) {
	var o readOptions
	for _, opt := range opts {
		opt(&o)
	}
	q.Stale = o.stale
	payload, err := c.ask(ctx, &request{
		op: transport.OpQuery, name: name, resource: q.Name, repeat: true, local: o.stale,
		body: func(group uint32) []byte {
			if q.Kind != transport.QueryTrace {
				q.Group = group
			}
			return q.AppendTo(nil)
		},
	})
	if err != nil {
		return 0, err
	}
	var reply transport.QueryReply
	if err := reply.Decode(payload); err != nil {
		return 0, about(err, name, q.Name)
	}
	if err := transport.Unmarshal(reply.Body, into); err != nil {
		return 0, about(err, name, q.Name)
	}
	return q.Group, nil
}

func (c *Conn) steer(ctx context.Context, name string, body transport.Control) error {
	_, err := c.ask(ctx, &request{
		op: transport.OpControl, name: name, resource: body.Node,
		body: func(group uint32) []byte {
			body.Group = group
			return body.AppendTo(nil)
		},
	})
	return err
}
