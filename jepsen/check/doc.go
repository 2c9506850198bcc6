// Package check judges a history: each checker looks for one kind of broken
// promise, says how much it checked, and is not content with having checked
// too little.
//
// It owns what a queue promises, in its own words, and shares no code with the
// broker. It imports package history alone. What nobody outside can know is no
// error: leases.go says what may have ended a lease, and grants.go bounds when
// one was granted, so that every excuse needs the time that it takes; entries.go
// bounds the same by the log.
//
// Start reading in verdict.go and kinds.go, then accounting.go, and fates.go
// for queues that do more than hand out and take acks; what only some
// workloads do is named in features.go. A checker has an orderly history in its
// test, and every kind that it reports planted in it.
package check
