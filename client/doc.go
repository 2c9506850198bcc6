// Package client is the Go client of FerryMQ.
//
// It owns the client's half of the protocol: one logical connection that
// follows the leader and reconnects for ever, the session with its operation
// numbers, the window of unanswered operations, and the consumers with the
// deliveries they hold, and the requests that wait for answers. It must not know how nodes agree, store or route: all
// it imports of ours is package transport (frames) and fsm/record (a
// message's bytes).
//
// # Where to start reading
//
//   - conn.go: Conn, Dial and Close, what a user holds.
//   - manager.go: the goroutine that owns link and session. Everything that a
//     connection knows changes there; link.go is what it talks through.
//   - session.go: numbers, attach, resend, answers.
//   - outbox.go: what user goroutines leave for the manager: open batches of
//     messages and of settles, and the window.
//   - consumer.go, delivery.go: handing out, leases, repeats.
//   - control.go: every other operation; tx.go, reply.go and together.go for
//     those that settle together with what they publish.
//   - ask.go, awaited.go: requests, and their answers. (request.go is about
//     reads.) inbox.go: answers through a queue.
//   - browse.go, amend.go, redrive.go, explain.go: for operators.
//
// # Who runs what
//
// A Conn has a manager goroutine, a notifier goroutine for the callbacks of
// asynchronous publishes and settles, and for each link a dialer, then a
// reader beside the transport's writer. A consumer has one goroutine for each
// handler that may run at once. Close ends them all; it waits for those that
// run no user code.
//
// # Facts that surprise
//
//   - A number is given to an operation when it is sent for the first time.
//     What waits without a number can be taken back for certain; what has one
//     can only be asked about again, under the same number.
//   - An operation whose user went away stays in the table until it is
//     answered, because answered_through must not pass it unjudged.
//   - Settles of a Tx or a Reply that failed are not tried one by one: acking a
//     delivery whose answer is lost would lose what belongs to it.
//   - A group tells the answer to a request once, to a session that is attached.
//     So answers are asked for again after every attach, also on the same link.
//   - What is told to whoever waits may end the context that they wait with. They
//     look whether the outcome is there before they call it unknown.
//   - A machine's verdict is final. A refusal from outside the machine is
//     definite only for an operation that was sent once.
package client
