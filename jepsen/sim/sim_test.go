package sim

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/check"
	"github.com/ferrymq/ferrymq/jepsen/history"
)

var (
	seeds  = flag.Uint64("seeds", 4, "how many seeds to run")
	from   = flag.Uint64("from", 1, "the first seed")
	within = flag.Duration("time", 0, "begin no seed after so long; 0: no bound")
	length = flag.Duration("length", 10*time.Second, "simulated time with faults of each seed")
	only   = flag.String("only", "", "the name of one workload; default: all")
	trace  = flag.Bool("trace", false, "print the trace")
	queue  = flag.String("queue", "", "print what the log and the clients have of a queue")
	debug  = flag.Bool("debug", false, "print the product's log")
)

// last is what the last line says, once there is a campaign.
var last *campaign

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if last != nil {
		fmt.Println(last)
	}
	os.Exit(code)
}

// TestSeeds runs seeds natively, as many at once as -parallel says: fast, and
// not the same twice. Package replay runs one the same every time.
func TestSeeds(t *testing.T) {
	c := &campaign{began: time.Now()}
	last = c
	t.Run("seed", func(t *testing.T) {
		for seed := *from; seed < *from+*seeds; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				c.seed(t, seed)
			})
		}
	})
	if c.runs == 0 {
		t.Error("no seed ran")
	}
}

// TestAllLosePower: all nodes lose their power at once, and what their disks had
// not synced, again and again in the middle of the work. Nothing that was
// confirmed is lost.
func TestAllLosePower(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := simulate(t, Options{Seed: seed, Length: 20 * time.Second, Fault: "power-all"})
			t.Log(r)
			if len(r.Wrong) > 0 || r.Bitten == 0 || r.Totals.Confirmed == 0 || r.Totals.Lost > 0 {
				t.Errorf("%s\n%s", r, strings.Join(r.Wrong, "\n"))
			}
		})
	}
}

// campaign is many seeds.
type campaign struct {
	began time.Time

	mu        sync.Mutex // guards what follows
	runs, red int
	simulated time.Duration
	ops       int64
	faults    int
	bitten    int
	totals    check.Totals
}

func (c *campaign) seed(t *testing.T, seed uint64) {
	if *within > 0 && time.Since(c.began) > *within {
		return
	}
	began := time.Now()
	r := simulate(t, Options{Seed: seed, Length: *length, Only: *only})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs++
	c.simulated += r.Simulated
	c.ops += r.Ops
	c.faults += r.Faults
	c.bitten += r.Bitten
	c.totals.Add(r.Totals)
	took := max(time.Since(began), time.Millisecond)
	fmt.Printf("%s (%.0f simulated seconds a second)\n", r, r.Simulated.Seconds()/took.Seconds())
	if len(r.Wrong) > 0 {
		c.red++
		t.Errorf("seed %d is red: %s", seed, strings.Join(r.Wrong, "\n"))
	}
	if *queue != "" && r.Run != nil {
		dump(r.Run, *queue)
	}
}

// String is the last line of a campaign.
func (c *campaign) String() string {
	verdict := "ok"
	if c.red > 0 {
		verdict = fmt.Sprintf("RED: %d seeds", c.red)
	}
	took := time.Since(c.began).Seconds()
	return fmt.Sprintf("sim: seeds=%d simulated=%.2fh rate=%.0f ops=%d faults=%d bitten=%d confirmed=%d lost=%d unexpected=%d ghost=%d %s",
		c.runs, c.simulated.Hours(), c.simulated.Seconds()/max(took, 0.001), c.ops, c.faults, c.bitten,
		c.totals.Confirmed, c.totals.Lost, c.totals.Unexpected, c.totals.Ghost, verdict)
}

// simulate runs one seed in a bubble. A bubble that cannot go on, or that
// leaves goroutines behind, is red and ends no other one.
func simulate(t *testing.T, o Options) (r Result) {
	defer func() {
		if p := recover(); p != nil {
			r.Seed = o.Seed
			r.wrong("the bubble: %v", p)
		}
	}()
	if *trace {
		o.Trace = io.Writer(os.Stdout)
	}
	if *debug {
		o.Logger = slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	synctest.Test(t, func(*testing.T) { r = Run(o) })
	return r
}

// dump prints what happened to a queue, first as the log has it.
func dump(run *history.Run, queue string) {
	for _, e := range run.Log {
		for _, c := range e.Commands {
			switch {
			case c.Queue == queue && c.Kind != "publish", c.Kind == "leader", c.Kind == "detachnode",
				c.Kind == "attach", c.Kind == "detach", c.Kind == "cancel", c.Kind == "end":
				fmt.Printf("log %d term %d lease clock %d: %s %+v\n", e.Index, e.Term, e.LeaseMillis, c.Kind, c)
			}
		}
	}
	for _, o := range run.Ops {
		if o.Queue == queue || o.Kind == history.Gone {
			fmt.Printf("op %s consumer %d %s\n", o, o.Consumer, o.Error)
		}
	}
}
