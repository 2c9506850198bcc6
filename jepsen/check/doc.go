// Package check judges a history: each checker looks for one kind of broken
// promise, says how much it checked, and is not content with having checked
// too little.
//
// It owns what a queue promises, in its own words, and shares no code with the
// broker. It imports package history alone. Start reading in verdict.go, then
// accounting.go.
package check
