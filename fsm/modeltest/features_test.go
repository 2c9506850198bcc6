package modeltest

// features of the machine that the generator makes use of.
var features = struct {
	retry, timed, lines, fair, exclusive, bystander, overflow, commit, topics, dedup, breaker, rates, amend, request bool
}{
	retry: true, timed: true, topics: true, dedup: true, commit: true, overflow: true, exclusive: true, bystander: true,
	lines: true, fair: true, amend: true, request: true, breaker: true, rates: true,
}
