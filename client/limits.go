package client

import (
	"time"

	"github.com/ferrymq/ferrymq/fsm/record"
)

// Bounds of what can be asked for. What is beyond them is ErrInvalid or
// ErrTooLarge, and no node is asked.
const (
	MaxNameBytes   = 196               // of a queue or topic
	MaxTextBytes   = record.KeyMax     // of each text of a message, of a message group and of a tenant
	MaxHeaders     = record.HeadersMax // of a message: values, each with its name
	MaxHeaderBytes = record.HeaderBytesMax
	MaxPriority    = record.PriorityMax // of a message
	MaxTTL         = 10 * 366 * 24 * time.Hour
	MaxDelay       = MaxTTL // until a message is handed out

	MinLease         = time.Second
	MaxLease         = 24 * time.Hour
	MaxRetryDelay    = 24 * time.Hour // of a queue's policy
	MaxNackDelay     = 24 * time.Hour // of one nack
	MaxGroupBatch    = 1000
	MinDedup         = time.Second
	MaxDedup         = 7 * 24 * time.Hour
	MaxDedupCapacity = 1 << 22
	MaxTenantWeight  = 1000

	MaxPrefetch        = 4096
	MaxPrefetchBytes   = 1 << 30
	MaxConcurrency     = 4096
	MaxRequestDeadline = 24 * time.Hour
	MaxRefs            = 100_000 // messages that one call changes
)
