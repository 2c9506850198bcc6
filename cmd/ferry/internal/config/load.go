package config

import (
	"errors"
	"fmt"
	"os"
)

// Load fills a Config from the flags, the environment (as os.Environ's
// LookupEnv) and the file that --config or FERRY_CONFIG names, and judges it.
// Its error joins every mistake.
func Load(flags *Flags, lookupEnv func(string) (string, bool)) (*Config, error) {
	var mistakes []error
	c := Default()
	c.File = flags.file
	if c.File == "" {
		c.File, _ = lookupEnv("FERRY_CONFIG")
	}
	table := options(c)
	fromFile, wrong := readFile(c.File, table)
	mistakes = append(mistakes, wrong...)
	for _, o := range table {
		source, value := "", ""
		if g := flags.given[o.name]; g.set {
			source, value = "--"+o.name, g.text
		} else if v, ok := lookupEnv(o.env()); ok && v != "" {
			source, value = o.env(), v
		} else if v, ok := fromFile[o.name]; ok {
			source, value = v.where, v.text
		} else {
			continue
		}
		if err := o.store(value); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", source, err))
		}
	}
	if c.Node == "" {
		name, err := os.Hostname()
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("--node: not given, and the host has no name: %w", err))
		}
		c.Node = name
	}
	mistakes = append(mistakes, c.Validate())
	c.derive()
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return c, nil
}

// Print writes the settings as a file that --config would take.
func (c *Config) Print() string {
	return printYAML(options(c))
}
