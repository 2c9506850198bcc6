package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// table prints rows in aligned columns.
func table(w io.Writer, head []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = plainText(cell) // names and texts are anybody's: none moves the cursor
		}
		if _, err := fmt.Fprintln(t, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return t.Flush()
}

// tableUsed is table without the columns that are empty in every row.
func tableUsed(w io.Writer, head []string, rows [][]string) error {
	used := func(column int) bool {
		return slices.ContainsFunc(rows, func(row []string) bool { return row[column] != "" })
	}
	keep := func(row []string) (kept []string) {
		for i, cell := range row {
			if i == 0 || used(i) {
				kept = append(kept, cell)
			}
		}
		return kept
	}
	kept := make([][]string, len(rows))
	for i, row := range rows {
		kept[i] = keep(row)
	}
	return table(w, keep(head), kept)
}

// fields prints one thing, a line for each of its fields.
func fields(w io.Writer, pairs ...string) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for i := 0; i+1 < len(pairs); i += 2 {
		if _, err := fmt.Fprintf(t, "%s:\t%s\n", pairs[i], pairs[i+1]); err != nil {
			return err
		}
	}
	return t.Flush()
}

// printJSON prints one value, on one line.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// bytesText is a size for people.
func bytesText(n uint64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, i := float64(n)/unit, 0
	for value >= unit && i < 4 {
		value, i = value/unit, i+1
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTP"[i])
}
