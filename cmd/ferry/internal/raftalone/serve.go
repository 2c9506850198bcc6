package raftalone

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Serve runs a replica and answers requests, one JSON object a line, until in
// ends.
func Serve(o Options, in io.Reader, out io.Writer, log *slog.Logger) error {
	if o.Self < 0 || o.Self >= len(o.Peers) {
		return fmt.Errorf("this is replica %d of %d", o.Self, len(o.Peers))
	}
	n, err := open(o, log)
	if err != nil {
		return err
	}
	return errors.Join(n.serve(in, out), n.close())
}

func (n *node) serve(in io.Reader, out io.Writer) error {
	requests, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var q Request
		if err := requests.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		if err := answers.Encode(n.answer(q)); err != nil {
			return err
		}
	}
}
