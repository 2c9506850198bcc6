package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ferrymq/ferrymq/jepsen/check"
)

// verdicts counts the problems in a report, by kind: it has a folder for each
// run, with the checkers' verdicts.
func verdicts(report string) (found map[string]int64, err error) {
	files, err := filepath.Glob(filepath.Join(report, "*", "verdicts.json"))
	found = map[string]int64{}
	for _, path := range files {
		var list []check.Verdict
		b, unread := os.ReadFile(path)
		if unread == nil {
			unread = json.Unmarshal(b, &list)
		}
		if unread != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", path, unread))
		}
		for _, v := range list {
			for kind, n := range v.Found {
				found[kind] += n
			}
		}
	}
	return found, err
}
