package serve

import "errors"

// Why a node ended otherwise than by being asked to. Each has an exit code
// of its own.
var (
	ErrLocked  = errors.New("another process uses the data folder")
	ErrStorage = errors.New("a store failed")
	ErrState   = errors.New("the state machine stopped")
	ErrKey     = errors.New("--cluster-key-file") // cannot be used
	ErrRemoved = errors.New("this node was removed from the cluster")
)
