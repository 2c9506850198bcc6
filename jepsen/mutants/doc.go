// Command mutants puts the suite itself to the test. Each NN-name.patch is a
// deliberate bug; it is applied to a copy of the tree, the program is built
// there, and the run that the patch names has to fail, and to say what the
// patch expects. A bug that no run finds means that the suite is too weak. On
// the tree as it is, every run has to be green: this is tried first.
//
//	go run ./jepsen/mutants           # all of them
//	go run ./jepsen/mutants 03 07     # some
//	go run ./jepsen/mutants -table jepsen/README.md
//
// It owns the patches, the copy and the judgement. It knows nothing of how a
// run works: it reads what the run prints.
//
// A patch is a diff with fields before it:
//
//	Bug: one sentence, for a person
//	Caught-by: ferry jepsen run --nemesis kill-all --seed 1
//	Expect: lost, after_ack
//
// The program of Caught-by is ferry, as built from the copy, or go, in the
// copy. Expect lists kinds of problems (package check names them); one of them
// has to be reported.
//
// Start reading in main.go, then mutant.go.
package main
