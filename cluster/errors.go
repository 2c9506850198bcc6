package cluster

import "errors"

// The reasons for which a group or a node stops or refuses.
var (
	// ErrClosed: the group, the links or the node are closing.
	ErrClosed = errors.New("cluster: closed")

	// ErrRemoved: the node was removed from the cluster by a person. Its data
	// folder is marked and is never used again.
	ErrRemoved = errors.New("cluster: this node was removed from the cluster")

	// ErrRebuild: this replica cannot follow with the state it has. Its state
	// is wiped and it joins again under a new server id.
	ErrRebuild = errors.New("cluster: this replica must be rebuilt")

	// ErrWrongCluster: another cluster's id.
	ErrWrongCluster = errors.New("cluster: belongs to another cluster")

	// ErrWrongServer: a raft link that was meant for this node's old self.
	ErrWrongServer = errors.New("cluster: another server is meant")

	// ErrCorruptState: an entry could not be applied; the replica must not go on.
	ErrCorruptState = errors.New("cluster: the state machine stopped")

	// ErrNotReady: this node has no replica of the group yet.
	ErrNotReady = errors.New("cluster: not ready")
)
