package fsm

// comparing counts the words of filters that subjects are compared with. For one
// message these are a few; with many * in many filters they are hundreds of
// thousands, though it may match none.
type comparing struct {
	entry     int  // words that the entry compared, for what was refused too
	operation int  // of them, for the operation at hand
	gaveUp    bool // on a message of it
}

// A message alone is never given up.
const _ = uint(MaxFilterWords - MaxSubscriptions*maxWords)

// wordsLeft is how many words the entry may still compare.
func (s *State) wordsLeft() int { return max(0, s.bounds.Words-s.work.comparing.entry) }

// compared books words, and tells whether they were as many as there were left.
func (s *State) compared(words int) bool {
	c := &s.work.comparing
	enough := words <= s.wordsLeft()
	c.entry, c.operation, c.gaveUp = c.entry+words, c.operation+words, c.gaveUp || !enough
	return enough
}

// tooManyWords refuses an operation that was given up: for good if no entry
// affords it.
func (s *State) tooManyWords() Result {
	if s.work.comparing.operation > s.bounds.Words {
		return Result{Code: TooLarge, Detail: "more than 1048576 words of filters to compare the subjects with"}
	}
	return enough()
}
