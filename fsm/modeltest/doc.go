// Package modeltest compares the state machine with a model that is small
// enough to be seen to be right.
//
// It owns the model: slices and maps, no chunks, no copy-on-write, no index of
// deadlines; everything is found by looking at all there is. It must not share
// code with package fsm beyond the vocabulary of commands, results and effects,
// and the encoders that bring a command there.
//
// The model foretells every result code and value. Where the machine may
// choose (which of several consumers that have credit gets a message), it
// follows the effect it is shown and judges whether that was allowed, and
// afterwards whether something was held back that had to be handed out.
//
// Start reading in model.go (what there is), entry.go (the frame around every
// entry) and handout.go (deliveries); property_test.go makes the commands.
package modeltest
