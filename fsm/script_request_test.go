package fsm

import (
	"fmt"

	"github.com/ferrymq/ferrymq/fsm/record"
)

func (r *script) showAnswer(e *Effect) string {
	s := fmt.Sprintf("answer %s@%s e%d n=%d %s", sessionName(e.Session), e.Node, e.Epoch, e.Number, codeNames[e.Code])
	if e.ID.Index == 0 {
		return s
	}
	body, err := e.Body.Load()
	r.must(err)
	view, err := record.Parse(body)
	r.must(err)
	return s + fmt.Sprintf(" id=%d-%d-%d %.8q", e.ID.Group, e.ID.Index, e.ID.Position, view.Body())
}
