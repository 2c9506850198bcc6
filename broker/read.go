package broker

import (
	"context"
	"slices"
	"strings"

	"github.com/ferrymq/ferrymq/fsm"
	"github.com/ferrymq/ferrymq/transport"
)

// read answers a query from this node's state.
func (l *lane) read(ctx context.Context, q *transport.Query) (transport.QueryReply, error) {
	switch q.Kind {
	case transport.QueryQueue:
		return l.readQueue(q)
	case transport.QueryTopics:
		return l.readTopics(q)
	case transport.QueryTopic:
		return l.readTopic(q)
	case transport.QuerySubscriptions:
		return l.readSubscriptions(q)
	case transport.QueryTenants:
		return l.readTenants(q)
	case transport.QueryBrowse:
		return l.readBrowse(ctx, q)
	case transport.QueryTrace:
		return l.readTrace(q)
	}
	return l.readQueues(q)
}

// page is how many elements a query asks for, within bounds.
func page(limit uint32) int {
	if limit == 0 {
		return pageDefault
	}
	return min(int(limit), pageMax)
}

func (l *lane) readQueue(q *transport.Query) (transport.QueryReply, error) {
	reply := transport.QueryReply{Stale: true}
	var info fsm.QueueInfo
	var ok bool
	var at fsm.Clock
	l.group.View(func(s *fsm.State) {
		info, ok = s.Queue(q.Name)
		reply.Index, at = s.Index(), s.Clock()
	})
	if !ok {
		return reply, transport.Errorf(transport.CodeNotFound, "queue %q", q.Name)
	}
	reply.Body = queueInfoOf(&info, at).AppendTo(nil)
	return reply, nil
}

func (l *lane) readQueues(q *transport.Query) (transport.QueryReply, error) {
	reply := transport.QueryReply{Stale: true}
	var infos []fsm.QueueInfo
	var at fsm.Clock
	var list transport.QueueList
	l.group.View(func(s *fsm.State) {
		infos, list.More = s.Queues(q.Name, q.After, page(q.Limit))
		reply.Index, at = s.Index(), s.Clock()
	})
	list.Queues = queueInfosOf(infos, at)
	reply.Body = list.AppendTo(nil)
	return reply, nil
}

func (l *lane) readTopic(q *transport.Query) (transport.QueryReply, error) {
	reply := transport.QueryReply{Stale: true}
	var info fsm.TopicInfo
	var ok bool
	l.group.View(func(s *fsm.State) {
		info, ok = s.Topic(q.Name)
		reply.Index = s.Index()
	})
	if !ok {
		return reply, transport.Errorf(transport.CodeNotFound, "topic %q", q.Name)
	}
	reply.Body = topicInfoOf(&info).AppendTo(nil)
	return reply, nil
}

func (l *lane) readTopics(q *transport.Query) (transport.QueryReply, error) {
	reply := transport.QueryReply{Stale: true}
	var infos []fsm.TopicInfo
	var list transport.TopicList
	l.group.View(func(s *fsm.State) {
		infos, list.More = s.Topics(q.Name, q.After, page(q.Limit))
		reply.Index = s.Index()
	})
	for i := range infos {
		list.Topics = append(list.Topics, topicInfoOf(&infos[i]))
	}
	reply.Body = list.AppendTo(nil)
	return reply, nil
}

// readSubscriptions lists a topic's subscriptions by name, as all queues are.
// The state has them in another order, so all of them are looked at: they are
// at most fsm.MaxSubscriptions.
func (l *lane) readSubscriptions(q *transport.Query) (transport.QueryReply, error) {
	reply := transport.QueryReply{Stale: true}
	var infos []fsm.QueueInfo
	var ok bool
	var at fsm.Clock
	l.group.View(func(s *fsm.State) {
		infos, _, ok = s.Subscriptions(q.Name, 0, fsm.MaxSubscriptions)
		reply.Index, at = s.Index(), s.Clock()
	})
	if !ok {
		return reply, transport.Errorf(transport.CodeNotFound, "topic %q", q.Name)
	}
	infos = slices.DeleteFunc(infos, func(i fsm.QueueInfo) bool { return i.Name <= q.After })
	slices.SortFunc(infos, func(a, b fsm.QueueInfo) int { return strings.Compare(a.Name, b.Name) })
	n := min(len(infos), page(q.Limit))
	list := transport.QueueList{Queues: queueInfosOf(infos[:n], at), More: n < len(infos)}
	reply.Body = list.AppendTo(nil)
	return reply, nil
}

func (l *lane) readTrace(q *transport.Query) (transport.QueryReply, error) {
	reply := transport.QueryReply{Stale: true}
	var m transport.TraceQuery
	if err := m.Decode(q.Body); err != nil {
		return reply, err
	}
	t := l.b.o.Trace(l.id)
	if t == nil {
		return reply, transport.Errorf(transport.CodeUnsupported, "node %s keeps no trace", l.b.o.Node)
	}
	l.group.View(func(s *fsm.State) { reply.Index = s.Index() })
	reply.Body = t.find(fsm.ID{Group: l.id, Index: m.Index, Position: m.Position}).AppendTo(nil)
	return reply, nil
}

// readTenants lists the weights of a queue's tenants. The nameless one begins
// the first page, which has another one too: its name is where the next begins.
func (l *lane) readTenants(q *transport.Query) (transport.QueryReply, error) {
	reply := transport.QueryReply{Stale: true}
	var infos []fsm.TenantInfo
	var list transport.TenantList
	var ok bool
	l.group.View(func(s *fsm.State) {
		infos, list.More, ok = s.Tenants(q.Name, q.After, max(page(q.Limit), 2))
		reply.Index = s.Index()
	})
	if !ok {
		return reply, transport.Errorf(transport.CodeNotFound, "queue %q", q.Name)
	}
	for _, t := range infos {
		list.Tenants = append(list.Tenants, transport.TenantInfo{Name: t.Name, Weight: t.Weight})
	}
	reply.Body = list.AppendTo(nil)
	return reply, nil
}
