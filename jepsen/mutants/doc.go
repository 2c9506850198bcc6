// Command mutants puts the suite itself to the test. Each NN-name.patch is a
// deliberate bug; it is applied to a copy of the tree, and the run or the tests
// that the patch names have to fail there, and to say what the patch expects. A
// bug that nothing finds means that the suite is too weak. On the tree as it
// is, every run and test has to be green: this is tried first.
//
//	go run ./jepsen/mutants           # all of them
//	go run ./jepsen/mutants 03 12     # some
//	go run ./jepsen/mutants -tests    # those that Go tests are to catch
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
// The program is ferry, as built from the copy. Expect lists kinds of problems
// (package check names them); one of them has to be reported. Or
//
//	Caught-by: go test ./fsm -run TestScripts/commits
//	Expect: TestScripts/commits
//
// Then all tests that are listed have to fail. A build that fails, a test that
// takes too long, or one of another name proves nothing. Such a patch changes
// one line, and has as little around it as tells where that is.
//
// Start reading in main.go, then mutant.go; lab.go has the runs, suite.go the
// tests.
package main
