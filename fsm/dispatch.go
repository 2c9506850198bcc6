package fsm

import (
	"fmt"

	"github.com/ferrymq/ferrymq/transport/wire"
)

// command decodes and carries out one command.
func (s *State) command(offset int, content, entry []byte) (Result, error) {
	// The two hot ones have their structs in the state.
	switch Kind(content[0]) {
	case KindPublish:
		c := &s.work.publish
		if err := decodeInto(c, content); err != nil {
			return Result{}, err
		}
		s.work.recordsAt = offset + len(content) - len(c.Records)
		r := s.publish(c, entry)
		c.Records = nil
		return r, nil
	case KindSettle:
		c := &s.work.settle
		if err := decodeInto(c, content); err != nil {
			return Result{}, err
		}
		return s.settleAll(c), nil
	case KindCommit:
		return s.commitAt(offset, content, entry)
	}
	x := newCommand(Kind(content[0]))
	if x == nil {
		return Result{}, fmt.Errorf("%w %d", errKind, content[0])
	}
	if err := decodeInto(x, content); err != nil {
		return Result{}, err
	}
	if records := recordsOf(x); records != nil {
		s.work.recordsAt = offset + len(content) - len(*records)
	}
	if r, ok := s.operation(x, entry); ok {
		return r, nil
	}
	r, err := s.other(x)
	if r.Index == 0 {
		r = s.at(r, 1)
	}
	return r, err
}

// commitAt decodes and carries out a commit, whose records are in the middle
// of its binary.
func (s *State) commitAt(offset int, content, entry []byte) (Result, error) {
	var x Commit
	c := wire.NewCursor(content[1:])
	at := x.readAt(&c, nil)
	if err := c.Done(); err != nil {
		return Result{}, err
	}
	for i := range at {
		at[i] += offset + 1
	}
	return s.commit(&x, at, entry), nil
}

// operation carries out a numbered command.
func (s *State) operation(x Command, entry []byte) (Result, bool) {
	switch c := x.(type) {
	case *Consume:
		return s.simple(&c.OpHeader, func(x *session) Result { return s.consume(x, c) }), true
	case *Cancel:
		return s.simple(&c.OpHeader, func(x *session) Result { return s.cancel(x, c) }), true
	case *QueueCreate:
		return s.simple(&c.OpHeader, func(*session) Result { return s.create(c) }), true
	case *QueueUpdate:
		return s.simple(&c.OpHeader, func(*session) Result { return s.update(c) }), true
	case *QueueDelete:
		return s.simple(&c.OpHeader, func(*session) Result { return s.deleteQueue(c) }), true
	case *QueuePurge:
		return s.simple(&c.OpHeader, func(*session) Result { return s.purge(c) }), true
	case *QueuePause:
		return s.simple(&c.OpHeader, func(*session) Result { return s.pause(c) }), true
	case *Amend:
		return s.amendAll(c), true
	case *Breaker:
		return s.simple(&c.OpHeader, func(*session) Result { return s.switchBreaker(c) }), true
	case *GroupResume:
		return s.simple(&c.OpHeader, func(*session) Result { return s.resumeGroup(c) }), true
	case *TenantWeight:
		return s.simple(&c.OpHeader, func(*session) Result { return s.weigh(c) }), true
	case *TopicCreate:
		return s.simple(&c.OpHeader, func(*session) Result { return s.createTopic(c) }), true
	case *TopicDelete:
		return s.simple(&c.OpHeader, func(*session) Result { return s.deleteTopic(c) }), true
	case *Subscribe:
		return s.simple(&c.OpHeader, func(x *session) Result { return s.subscribe(x, c) }), true
	case *Request:
		return s.request(c, entry), true
	case *Reply:
		return s.reply(c, entry), true
	}
	return Result{}, false
}

// other carries out a command without a number.
func (s *State) other(x Command) (Result, error) {
	switch c := x.(type) {
	case *Leader:
		return s.detachNode("", true), nil
	case *DetachNode:
		return s.detachNode(c.Node, false), nil
	case *Open:
		return s.open(c), nil
	case *Attach:
		return s.attach(c), nil
	case *Detach:
		return s.detach(c), nil
	case *End:
		return s.end(c), nil
	case *Credit:
		return s.give(c), nil
	case *Await:
		return s.await(c), nil
	case *Checkpoint:
		s.work.checkpoint = true
		return Result{}, nil
	case *SetVersion:
		if c.Version > VersionCurrent {
			return Result{}, fmt.Errorf("%w: raised to %d, known up to %d", ErrVersion, c.Version, VersionCurrent)
		}
		s.version = max(s.version, c.Version)
		return Result{Value: uint64(s.version)}, nil
	}
	return Result{}, fmt.Errorf("%w %d", errKind, x.Kind())
}
