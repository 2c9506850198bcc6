// Package record is the bytes of a message: one fixed layout that the producer
// writes once and that frame, log entry and consumer carry unchanged. Client,
// broker and state machine share it.
//
// It knows nothing of queues, protocols or msgpack, and keeps no state.
//
// Start reading at format.go, which draws the bytes; append.go writes them,
// scan.go reads their structure, and check.go, peek.go and view.go are the
// three ways to look: all of it at ingress, the least for the state machine,
// the contents for the consumer.
package record
