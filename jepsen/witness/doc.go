// Package witness judges a history by the log: every operation that took
// effect says where in the committed log it did, so that no order has to be
// searched for. The log is replayed on a model of queues that is the suite's
// own, and every answer and every delivery that a client saw is compared with
// what the model makes of the log.
//
// It owns the model (model.go and the files named after parts of a broker),
// the judgement (checker.go), the union of the nodes' logs (log.go), and Lock
// (lock.go), which needs no log: a search by porcupine over small windows of
// what holders of one exclusive message saw.
//
// It shares no code with the broker, and knows of it only the log's commands
// as package history has them, and what docs/protocol.md promises. It imports
// packages history and check. Start reading in checker.go, then model.go.
package witness
