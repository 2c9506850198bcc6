package fsm

import "fmt"

// Append encodes any command.
func Append(dst []byte, c Command) []byte {
	switch x := c.(type) {
	case *Leader:
		return AppendLeader(dst, x)
	case *DetachNode:
		return AppendDetachNode(dst, x)
	case *Open:
		return AppendOpen(dst, x)
	case *Attach:
		return AppendAttach(dst, x)
	case *Detach:
		return AppendDetach(dst, x)
	case *End:
		return AppendEnd(dst, x)
	case *Publish:
		return AppendPublish(dst, x)
	case *Settle:
		return AppendSettle(dst, x)
	case *Consume:
		return AppendConsume(dst, x)
	case *Cancel:
		return AppendCancel(dst, x)
	case *Credit:
		return AppendCredit(dst, x)
	case *QueueCreate:
		return AppendQueueCreate(dst, x)
	case *QueueUpdate:
		return AppendQueueUpdate(dst, x)
	case *QueueDelete:
		return AppendQueueDelete(dst, x)
	case *QueuePurge:
		return AppendQueuePurge(dst, x)
	case *QueuePause:
		return AppendQueuePause(dst, x)
	case *SetVersion:
		return AppendSetVersion(dst, x)
	case *Checkpoint:
		return AppendCheckpoint(dst)
	case *Commit:
		return AppendCommit(dst, x)
	case *Amend:
		return AppendAmend(dst, x)
	case *Breaker:
		return AppendBreaker(dst, x)
	case *GroupResume:
		return AppendGroupResume(dst, x)
	case *TenantWeight:
		return AppendTenantWeight(dst, x)
	case *TopicCreate:
		return AppendTopicCreate(dst, x)
	case *TopicDelete:
		return AppendTopicDelete(dst, x)
	case *Subscribe:
		return AppendSubscribe(dst, x)
	case *Request:
		return AppendRequest(dst, x)
	case *Reply:
		return AppendReply(dst, x)
	case *Await:
		return AppendAwait(dst, x)
	}
	panic(fmt.Sprintf("fsm: no encoding of %T", c)) // Command is sealed: newCommand lists them all
}
