package cli

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ferrymq/ferrymq/client"
)

// A message is named by its id, as everything prints it. In a long queue it is
// found at once when its place, which browse tells, follows: 0-17-3@42.

// parseRef reads id or id@place; place 0 is one that was not told.
func parseRef(text string) (client.MessageRef, error) {
	name, at, located := strings.Cut(text, "@")
	id, err := client.ParseMessageID(name)
	if err != nil {
		return client.MessageRef{}, usagef("%q is no message id like 0-17-3", text)
	}
	ref := client.MessageRef{ID: id}
	if located {
		if ref.Place, err = strconv.ParseUint(at, 10, 64); err != nil || ref.Place == 0 {
			return ref, usagef("%q is no message id with a place, like 0-17-3@42", text)
		}
	}
	return ref, nil
}

func parseRefs(texts []string) ([]client.MessageRef, error) {
	refs := make([]client.MessageRef, 0, len(texts))
	for _, text := range texts {
		ref, err := parseRef(text)
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// refsOf are the messages of the arguments; "-" are those that standard input
// names, one a line.
func (a *app) refsOf(args []string) ([]client.MessageRef, error) {
	if len(args) != 1 || args[0] != "-" {
		if slices.Contains(args, "-") {
			return nil, usagef("-, ids from standard input, goes without other ids")
		}
		return parseRefs(args)
	}
	var texts []string
	lines := bufio.NewScanner(a.In)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		if len(texts) == client.MaxRefs {
			return nil, usagef("standard input has more than %d ids, which is the most at a time; nothing was changed", client.MaxRefs)
		}
		texts = append(texts, text)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read ids: %w", err)
	}
	return parseRefs(texts)
}

func idsOf(refs []client.MessageRef) map[client.MessageID]bool {
	ids := make(map[client.MessageID]bool, len(refs))
	for _, ref := range refs {
		ids[ref.ID] = true
	}
	return ids
}
