package modeltest

// features of the machine that the generator makes use of.
var features = struct {
	retry, timed, lines, fair, exclusive, bystander, overflow, commit, topics, dedup, breaker, rates, amend, request bool
}{
	retry: true, overflow: true, timed: true, lines: true, topics: true, dedup: true, commit: true,
}
