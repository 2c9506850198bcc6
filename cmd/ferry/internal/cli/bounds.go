package cli

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ferrymq/ferrymq/client"
)

// Values that nothing could be meant by are refused before anything is done,
// by the names of their flags.

// mistakes are all that were made, each on a line; nil for none.
func mistakes(all ...error) error {
	if err := errors.Join(all...); err != nil {
		return usageError{err}
	}
	return nil
}

// bad is a mistake in what a flag was given, nil without a fault.
func bad(flag, fault string) error {
	if fault == "" {
		return nil
	}
	return usagef("--%s: %s", flag, fault)
}

// within refuses what is below least or above most.
func within[T cmp.Ordered](flag string, v, least, most T) error {
	return bad(flag, rangeFault(v, least, most))
}

// atLeast refuses what is below least, and what is no number.
func atLeast[T cmp.Ordered](flag string, v, least T) error {
	if v >= least {
		return nil
	}
	return usagef("--%s: %v is not %v or more", flag, v, least)
}

// withinOrZero is within, but 0 has a meaning of its own.
func withinOrZero[T cmp.Ordered](flag string, v, least, most T) error {
	return bad(flag, rangeOrZeroFault(v, least, most))
}

func rangeFault[T cmp.Ordered](v, least, most T) string {
	if v >= least && v <= most { // which no NaN is
		return ""
	}
	return fmt.Sprintf("%v is not within %v and %v", v, least, most)
}

func rangeOrZeroFault[T cmp.Ordered](v, least, most T) string {
	var zero T
	if v == zero || rangeFault(v, least, most) == "" {
		return ""
	}
	return fmt.Sprintf("%v is neither 0 nor within %v and %v", v, least, most)
}

// between and betweenOrZero are for flags that are parsed.
func between[T cmp.Ordered](least, most T) func(T) (T, error) {
	return func(v T) (T, error) { return v, fault(rangeFault(v, least, most)) }
}

func betweenOrZero[T cmp.Ordered](least, most T) func(T) (T, error) {
	return func(v T) (T, error) { return v, fault(rangeOrZeroFault(v, least, most)) }
}

func fault(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// text refuses what is no text of a message.
func text(flag, v string) error { return bad(flag, textFault(v)) }

func textFault(v string) string {
	switch {
	case len(v) > client.MaxTextBytes:
		return atMost(len(v), client.MaxTextBytes)
	case !utf8.ValidString(v):
		return fmt.Sprintf("%q is not UTF-8", v)
	}
	return ""
}

func atMost(bytes, most int) string {
	if bytes <= most {
		return ""
	}
	return fmt.Sprintf("%d bytes, at most %d are possible", bytes, most)
}

func tooMany(n, most int) string {
	if n <= most {
		return ""
	}
	return fmt.Sprintf("%d are given, at most %d are possible", n, most)
}

// name refuses a flag that is given, and the name of no queue.
func name(flags *pflag.FlagSet, flag string) error {
	f := flags.Lookup(flag)
	if f == nil || !f.Changed {
		return nil
	}
	return quoted(flag, f.Value.String(), nameFault(f.Value.String()))
}

// quoted is bad, with the value.
func quoted(flag, v, fault string) error {
	if fault == "" {
		return nil
	}
	return usagef("--%s: %q: %s", flag, v, fault)
}

// empty refuses flags that are given without a value, where that would be as if
// they were not given.
func empty(flags *pflag.FlagSet, names ...string) error {
	var all []error
	for _, name := range names {
		if f := flags.Lookup(name); f != nil && f.Changed && (f.Value.String() == "" || f.Value.String() == "[]") {
			all = append(all, usagef("--%s: it is empty", name))
		}
	}
	return mistakes(all...)
}

// flagError says what is wrong with a flag that cannot be parsed: in words, not
// in those of the function that failed.
func flagError(_ *cobra.Command, err error) error {
	e, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	return usagef("--%s: %q %s", e.GetFlag().Name, e.GetValue(), parseFault(e))
}

func parseFault(e *pflag.InvalidValueError) string {
	switch kind := e.GetFlag().Value.Type(); {
	case errors.Is(e, strconv.ErrRange):
		return "is out of range"
	case kind == "duration":
		return "is no duration like 500ms, 1m30s or 24h"
	case strings.HasPrefix(kind, "uint"):
		return "is no whole number of 0 and more"
	case strings.HasPrefix(kind, "int"):
		return "is no whole number"
	case strings.HasPrefix(kind, "float"):
		return "is no number"
	case kind == "bool":
		return "is neither true nor false"
	}
	return "is not possible: " + e.Unwrap().Error()
}
