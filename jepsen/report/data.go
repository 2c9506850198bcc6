package report

import (
	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

// Data is one run and what was said of it.
type Data struct {
	Run      *history.Run
	Verdicts []check.Verdict

	// Version of the program under test.
	Version string

	// Options with which the run can be made again, by the names of their flags.
	Options map[string]string

	// Logs are files to keep, by the name they get: a log's node, as a rule.
	// After Read they are the files of the folder.
	Logs map[string]string
}

// Files of the folder of a run. The order is the one in which they are
// written: a folder with run.json is complete.
const (
	fileOps      = "operations.jsonl.gz"
	fileProbes   = "probes.jsonl.gz"
	fileLog      = "log.jsonl.gz"
	fileFaults   = "faults.jsonl" // for people and tools: run.json has them too, and is what is read
	dirLogs      = "logs"
	dirPictures  = "pictures"
	fileVerdicts = "verdicts.json"
	fileRun      = "run.json"
	filePage     = "index.html"
)

// format of the folder. It rises when an older reader would misread it.
const format = 1

// header is run.json. The counts are those of the other files, so that one
// which lost its end is noticed.
type header struct {
	Format     int               `json:"format"`
	Version    string            `json:"version,omitempty"`
	Options    map[string]string `json:"options,omitempty"`
	Operations int               `json:"operations"`
	Probes     int               `json:"probes"`
	Entries    int               `json:"entries"`
	Run        *history.Run      `json:"run"`
}

// limits keep a damaged or hostile folder from taking the machine. Write holds
// its own output to the limits of one file, so that it can be read again.
type limits struct {
	line     int   // bytes of one line
	memory   int64 // bytes that the records of one file take, about
	run      int64 // bytes of run.json
	verdicts int64 // bytes of verdicts.json
}

var defaultLimits = limits{line: 32 << 20, memory: 8 << 30, run: 16 << 20, verdicts: 64 << 20}
