package modeltest

import (
	"fmt"

	"github.com/ferrymq/ferrymq/fsm"
)

func appendCommand(dst []byte, c fsm.Command) []byte {
	switch x := c.(type) {
	case *fsm.Leader:
		return fsm.AppendLeader(dst, x)
	case *fsm.DetachNode:
		return fsm.AppendDetachNode(dst, x)
	case *fsm.Open:
		return fsm.AppendOpen(dst, x)
	case *fsm.Attach:
		return fsm.AppendAttach(dst, x)
	case *fsm.Detach:
		return fsm.AppendDetach(dst, x)
	case *fsm.End:
		return fsm.AppendEnd(dst, x)
	case *fsm.Publish:
		return fsm.AppendPublish(dst, x)
	case *fsm.Settle:
		return fsm.AppendSettle(dst, x)
	case *fsm.Consume:
		return fsm.AppendConsume(dst, x)
	case *fsm.Cancel:
		return fsm.AppendCancel(dst, x)
	case *fsm.Credit:
		return fsm.AppendCredit(dst, x)
	}
	return appendQueueCommand(dst, c)
}

func appendQueueCommand(dst []byte, c fsm.Command) []byte {
	switch x := c.(type) {
	case *fsm.QueueCreate:
		return fsm.AppendQueueCreate(dst, x)
	case *fsm.QueueUpdate:
		return fsm.AppendQueueUpdate(dst, x)
	case *fsm.QueueDelete:
		return fsm.AppendQueueDelete(dst, x)
	case *fsm.QueuePurge:
		return fsm.AppendQueuePurge(dst, x)
	case *fsm.QueuePause:
		return fsm.AppendQueuePause(dst, x)
	case *fsm.SetVersion:
		return fsm.AppendSetVersion(dst, x)
	case *fsm.Checkpoint:
		return fsm.AppendCheckpoint(dst)
	}
	return appendNewer(dst, c)
}

func appendNewer(dst []byte, c fsm.Command) []byte {
	switch x := c.(type) {
	case *fsm.Commit:
		return fsm.AppendCommit(dst, x)
	case *fsm.Amend:
		return fsm.AppendAmend(dst, x)
	case *fsm.Breaker:
		return fsm.AppendBreaker(dst, x)
	case *fsm.GroupResume:
		return fsm.AppendGroupResume(dst, x)
	case *fsm.TenantWeight:
		return fsm.AppendTenantWeight(dst, x)
	case *fsm.TopicCreate:
		return fsm.AppendTopicCreate(dst, x)
	case *fsm.TopicDelete:
		return fsm.AppendTopicDelete(dst, x)
	case *fsm.Subscribe:
		return fsm.AppendSubscribe(dst, x)
	case *fsm.Request:
		return fsm.AppendRequest(dst, x)
	case *fsm.Reply:
		return fsm.AppendReply(dst, x)
	case *fsm.Await:
		return fsm.AppendAwait(dst, x)
	}
	panic(fmt.Sprintf("no such command: %T", c))
}
