package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fileValue is a setting of the file, unparsed.
type fileValue struct {
	text  string
	where string
}

// readFile reads the YAML file at path ("": none). Keys are names of settings;
// a key that is none, or comes twice, is a mistake.
func readFile(path string, table []*option) (map[string]fileValue, []error) {
	if path == "" {
		return nil, nil
	}
	data, err := readBounded(path)
	if err != nil {
		return nil, []error{fmt.Errorf("--config: %w", err)}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, []error{fmt.Errorf("%s: %w", path, err)}
	}
	if len(doc.Content) == 0 {
		return nil, nil // empty, or comments only
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, []error{fmt.Errorf("%s:%d: want `name: value` lines", path, root.Line)}
	}
	known := map[string]*option{}
	for _, o := range table {
		known[o.name] = o
	}
	values := map[string]fileValue{}
	var mistakes []error
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		where := fmt.Sprintf("%s:%d: %s", path, key.Line, key.Value)
		text, err := scalar(known[key.Value], value)
		if _, twice := values[key.Value]; twice {
			err = errors.New("given twice")
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", where, err))
			continue
		}
		values[key.Value] = fileValue{text: text, where: where}
	}
	return values, mistakes
}

// scalar is the text of a value; a sequence becomes a list.
func scalar(o *option, value *yaml.Node) (string, error) {
	switch {
	case o == nil:
		return "", errors.New("no such setting")
	case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
		return "", errors.New("has no value")
	case value.Kind == yaml.ScalarNode:
		return value.Value, nil
	case value.Kind == yaml.SequenceNode && o.kind == "list":
		var items []string
		for _, item := range value.Content {
			if item.Kind != yaml.ScalarNode {
				return "", errors.New("want a list of texts")
			}
			items = append(items, item.Value)
		}
		return strings.Join(items, ","), nil
	default:
		return "", fmt.Errorf("want one value of type %s", o.kind)
	}
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, fileBytesMax+1))
	if err == nil && len(data) > fileBytesMax {
		err = fmt.Errorf("%s is larger than %d bytes", path, fileBytesMax)
	}
	return data, err
}

func printYAML(table []*option) string {
	var b strings.Builder
	for _, o := range table {
		value := o.show()
		switch o.kind {
		case "list":
			if value == "" {
				value = "[]"
				break
			}
			var items []string
			for item := range strings.SplitSeq(value, ",") {
				items = append(items, strconv.Quote(item))
			}
			value = "[" + strings.Join(items, ", ") + "]"
		case "string":
			value = strconv.Quote(value)
		}
		fmt.Fprintf(&b, "%s: %s\n", o.name, value)
	}
	return b.String()
}
