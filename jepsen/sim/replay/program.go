package replay

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// simulation is the package whose test binary is run.
const simulation = "github.com/ferrymq/ferrymq/jepsen/sim"

// Program is the simulation, compiled. Its methods may be called from anywhere.
type Program struct {
	runtime wazero.Runtime
	cache   wazero.CompilationCache
	module  wazero.CompiledModule
}

// CacheDir is where what was compiled is kept for the next time.
func CacheDir() string { return filepath.Join(os.TempDir(), "ferry-sim") }

// Build compiles the simulation as it is in the module of the working
// directory, with the go command, and then for this machine. What is unchanged
// comes from the folder.
func Build(ctx context.Context, dir string) (*Program, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	code, err := compile(ctx, dir)
	if err != nil {
		return nil, err
	}
	cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(dir, "cache"))
	if err != nil {
		return nil, err
	}
	p := &Program{cache: cache, runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCompilationCache(cache).WithCloseOnContextDone(true))}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, p.runtime); err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	if p.module, err = p.runtime.CompileModule(ctx, code); err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	return p, nil
}

// compile makes the test binary under a name of its own: others may build at
// the same time.
func compile(ctx context.Context, dir string) (code []byte, err error) {
	f, err := os.CreateTemp(dir, "sim-*.wasm")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", f.Name(), simulation)
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile the simulation: %w\n%s", err, out)
	}
	return os.ReadFile(f.Name())
}

// Close gives everything back.
func (p *Program) Close(ctx context.Context) error {
	return errors.Join(p.runtime.Close(ctx), p.cache.Close(ctx))
}

// ErrRed means that the simulation found something wrong.
var ErrRed = errors.New("the run is red")

// Run runs a seed, with faults for a length of simulated time, and writes its
// trace to out. More arguments are flags of the simulation's test.
func (p *Program) Run(ctx context.Context, seed uint64, length time.Duration, out io.Writer, more ...string) error {
	args := append([]string{"sim", "-test.run", "^TestSeeds$", "-test.timeout", "0", "-trace",
		"-seeds", "1", "-from", strconv.FormatUint(seed, 10), "-length", length.String()}, more...)
	clock := new(clock)
	config := wazero.NewModuleConfig().WithName("").
		WithStdout(out).WithStderr(out).WithRandSource(newDice(seed)).
		WithNanotime(clock.nanotime, sys.ClockResolution(1)).
		WithWalltime(clock.walltime, sys.ClockResolution(1)).
		WithNanosleep(clock.sleep).WithOsyield(func() {}).
		WithArgs(args...)
	module, err := p.runtime.InstantiateModule(ctx, p.module, config)
	if module != nil {
		err = errors.Join(err, module.Close(ctx))
	}
	var exit *sys.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit) && exit.ExitCode() == 0:
		return nil
	case errors.As(err, &exit):
		return fmt.Errorf("%w: exit code %d", ErrRed, exit.ExitCode())
	}
	return err
}

// newDice is randomness from a seed.
func newDice(seed uint64) io.Reader {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return rand.NewChaCha8(key)
}

// clock moves by a little each time it is read, so that nothing that waits
// for it to move waits for ever. It is one module's, which has one thread.
type clock struct{ now int64 }

const (
	clockStep  = 1000          // ns
	clockBegan = 1_700_000_000 // s
)

func (c *clock) nanotime() int64 {
	c.now += clockStep
	return c.now
}

func (c *clock) walltime() (sec int64, nsec int32) {
	now := c.nanotime()
	return clockBegan + now/1e9, int32(now % 1e9)
}

func (c *clock) sleep(ns int64) { c.now += ns }
