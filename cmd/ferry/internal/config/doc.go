// Package config owns the settings of `ferry server`: one Config, filled from
// flags, environment and a YAML file, judged as a whole at start.
//
// A setting has one name. It is the flag --name, the variable FERRY_NAME (with
// _ for -) and the key `name` of the file, and is parsed by the same code from
// all three. A flag wins over the environment, that over the file, that over
// the default. Every mistake is reported at once, each with its source.
//
// The package opens nothing and knows no other package of ours. Start reading
// at Config, then options.go (the table), then load.go.
package config
