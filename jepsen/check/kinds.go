package check

// Kinds of problems. A kind keeps its name: reports, tables of bugs and the
// totals of a session go by it.
const (
	// Of the messages themselves.
	KindLost       = "lost"        // confirmed, and nowhere in the end
	KindUnexpected = "unexpected"  // delivered, and never published there
	KindGhost      = "ghost"       // delivered though its publish certainly failed
	KindUnsettled  = "unsettled"   // delivered and gone, and nobody settled it
	KindEarly      = "early"       // delivered before it was published
	KindUndrained  = "not_drained" // the queues were not empty in the end
	KindUnanswered = "unanswered"  // an operation without any outcome
	KindReusedKey  = "key_reused"  // two publishes of one key: the history is wrong

	// Of deliveries.
	KindDuplicated  = "duplicated"         // delivered again, and nothing had ended the lease before
	KindRepeated    = "repeated"           // one lease handed to a handler twice
	KindShared      = "shared"             // one lease handed to two consumers
	KindFlag        = "flag"               // the flag does not say whether it is the first attempt
	KindBackwards   = "backwards"          // one consumer got an older lease after a newer one
	KindAfterAck    = "after_ack"          // leased again after an ack or reject was answered ok
	KindTwice       = "settled_twice"      // two settles ended it
	KindDeadCause   = "dead_without_cause" // dead-lettered, and no policy says so
	KindAfterDead   = "after_dead"         // delivered from its queue after it was in the dead-letter queue
	KindResurrected = "resurrected"        // leased after its queue was deleted

	// Of replicas.
	KindSum     = "sum"     // a queue's counts do not add up
	KindDiffer  = "differ"  // replicas disagree
	KindLeft    = "left"    // not empty after the drain
	KindTotals  = "totals"  // the counts are not those that clients know of
	KindMissing = "missing" // a queue that no replica has
	KindDigest  = "digest"  // two digests of one index

	// Of order.
	KindOrder   = "order"   // delivered before what was published before it
	KindSkipped = "skipped" // published before what was delivered, and never delivered
	KindIDs     = "ids"     // ids do not rise with a producer's publishes

	// Of a message's life as its ids and tokens tell it.
	KindIdentity     = "identity"              // a key under two ids, or an id of two keys
	KindToken        = "token"                 // a token that is none, of two messages, or out of time's order
	KindAttempt      = "attempt"               // attempts do not rise with tokens
	KindFailures     = "failures"              // failures fall, or pass their limit
	KindStaleSettle  = "stale_settle"          // a settle was accepted from who had no lease any more
	KindAfterEnd     = "after_end"             // something was accepted after the message was done
	KindRefused      = "refused_without_cause" // lease_lost, and nothing had ended the lease
	KindWitnessOrder = "witness_order"         // log places contradict the life of a message

	// Of fencing.
	KindOverlap      = "overlap"       // two holders, and nothing had ended the first one's lease
	KindStaleWrite   = "stale_write"   // the resource took a write with a token below one it had seen
	KindFreshRefused = "fresh_refused" // the resource refused the newest token

	// Of operation numbers.
	KindNumber       = "number"        // one number for two operations
	KindAppliedTwice = "applied_twice" // one operation took effect in two places

	// Of liveness.
	KindLeaderless  = "leaderless"  // a node knew of no leader long after the healing
	KindSlow        = "slow"        // answered, and too late
	KindFailing     = "failing"     // not served although everything was whole
	KindUnavailable = "unavailable" // too little was served while a fault was frozen
	KindElections   = "elections"   // too many terms for one fault

	// Of what only some queues do.
	KindDoubled   = "doubled"             // one key stored twice in a queue, under two ids
	KindHalf      = "half"                // of what goes together, one part happened and another did not
	KindTooSoon   = "too_soon"            // before its time
	KindTooLate   = "too_late"            // handed out after its time was over
	KindHistory   = "death_history"       // a dead letter tells its life wrongly
	KindBystander = "bystander_dead"      // died of another message's failure
	KindOverfull  = "overfull"            // more messages than the queue may have
	KindUnmatched = "unmatched"           // in a subscription whose filter does not match
	KindAnswer    = "wrong_answer"        // to a request
	KindOutcome   = "impossible_outcome"  // that the operation cannot have
	KindTooFast   = "too_fast"            // more messages than the queue's rate
	KindShut      = "shut"                // handed out while the circuit breaker was open
	KindConflict  = "conflict_overlooked" // an id taken for another body
	KindOvertook  = "overtook"            // a lower priority before a higher one, and not in its turn
	KindStarved   = "starved"             // a lower priority, passed by when it was its turn
	KindTurn      = "out_of_turn"         // more, or less, of a tenant than its turn while another waited

	KindVacuous = "vacuous" // too little was checked
)
