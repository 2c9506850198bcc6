package config

import (
	"strings"

	"github.com/spf13/pflag"
)

// Flags are the settings as flags of a command. They only remember what was
// given; Load parses it together with the other sources, so that one run tells
// every mistake.
type Flags struct {
	given map[string]*given
	file  string
}

// Register adds a flag for each setting, and --config.
func Register(set *pflag.FlagSet) *Flags {
	f := &Flags{given: map[string]*given{}}
	set.StringVar(&f.file, "config", "", "YAML file whose keys are the names of these flags (FERRY_CONFIG)")
	for _, o := range options(Default()) {
		g := &given{kind: o.kind, text: o.show()}
		f.given[o.name] = g
		flag := set.VarPF(g, o.name, "", o.usage+" ("+o.env()+")")
		if o.kind == "bool" {
			flag.NoOptDefVal = "true"
		}
	}
	return f
}

// given is a flag's value: the text, unparsed.
type given struct {
	kind string
	text string
	set  bool
}

func (g *given) String() string {
	if g.kind == "duration" && g.text == "0s" || g.text == "0" || g.text == "false" {
		return "" // help shows no default
	}
	return g.text
}

func (g *given) Type() string { return g.kind }

// Set remembers the text; a list may be given several times.
func (g *given) Set(text string) error {
	if g.kind == "list" && g.set {
		text = strings.Join([]string{g.text, text}, ",")
	}
	g.text, g.set = text, true
	return nil
}
