package clock_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/jepsen/lab"
	"github.com/ferrymq/ferrymq/jepsen/lab/clock"
)

var refused error

func TestMain(m *testing.M) {
	refused = lab.Enter()
	os.Exit(m.Run())
}

func build(t *testing.T, program string, flags ...string) string {
	t.Helper()
	require.NoError(t, refused)
	binary := filepath.Join(t.TempDir(), program)
	args := append(append([]string{"build", "-o", binary}, flags...), "./testdata/"+program)
	out, err := exec.Command("go", args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

// teller is a process that tells the time when it is asked.
type teller struct {
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

// start starts a program with a clock. The thread that starts it installs it.
func start(t *testing.T, c *clock.Clock, binary string) *teller {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command(binary)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	c.Prepare(cmd.SysProcAttr)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() }) // it may have ended
	require.NoError(t, c.Install(cmd.Process.Pid))
	return &teller{cmd, in, bufio.NewScanner(out)}
}

func (p *teller) ask(t *testing.T) []int64 {
	t.Helper()
	_, err := p.in.Write([]byte("\n"))
	require.NoError(t, err)
	require.True(t, p.out.Scan(), "it ended: %v", p.out.Err())
	var times []int64
	for word := range strings.FieldsSeq(p.out.Text()) {
		n, err := strconv.ParseInt(word, 10, 64)
		require.NoError(t, err)
		times = append(times, n)
	}
	return times
}

// near is how near two clocks that are read one after the other must be.
const near = 2 * time.Second

// requireSkew asks the process for the time and compares it with ours.
func requireSkew(t *testing.T, p *teller, began time.Time, skew time.Duration) {
	t.Helper()
	times := p.ask(t)
	require.InDelta(t, time.Now().Add(skew).UnixNano(), times[0], float64(near), "wall clock")
	require.InDelta(t, time.Since(began), times[1], float64(near), "monotonic clock")
	for i, wall := range times[2:] {
		require.InDelta(t, times[0], wall, float64(near), "wall clock by function %d of C", i)
	}
}

var skews = []time.Duration{
	time.Hour, -time.Hour, 0, 1500 * time.Millisecond, -30 * 24 * time.Hour, clock.OffsetMax, -clock.OffsetMax, 0,
}

func testSkews(t *testing.T, binary string) {
	t.Helper()
	var c clock.Clock
	defer func() { require.NoError(t, c.Close()) }()
	began := time.Now()
	p := start(t, &c, binary)
	requireSkew(t, p, began, 0)
	for _, skew := range skews {
		require.NoError(t, c.Set(skew))
		require.Equal(t, skew, c.Offset())
		requireSkew(t, p, began, skew)
	}
}

func TestWallClockJumpsAndMonotonicDoesNot(t *testing.T) {
	testSkews(t, build(t, "tell"))
}

func TestAlsoWithTheRaceDetectorAndC(t *testing.T) {
	testSkews(t, build(t, "tellc", "-race"))
}

func TestSkewIsOfOneProcessAndOutlivesIt(t *testing.T) {
	binary := build(t, "tell")
	var skewed, straight clock.Clock
	defer func() { require.NoError(t, skewed.Close()) }()
	defer func() { require.NoError(t, straight.Close()) }()
	require.NoError(t, skewed.Set(time.Hour))
	began := time.Now()
	p, q := start(t, &skewed, binary), start(t, &straight, binary)
	requireSkew(t, p, began, time.Hour)
	requireSkew(t, q, began, 0)

	require.NoError(t, p.cmd.Process.Kill())
	require.Error(t, p.cmd.Wait())
	require.NoError(t, skewed.Set(-time.Hour), "of a process that is gone")
	began = time.Now()
	requireSkew(t, start(t, &skewed, binary), began, -time.Hour)
}

// While the offset changes all the time, nobody reads half of one.
func TestStrobeIsNeverTorn(t *testing.T) {
	var c clock.Clock
	defer func() { require.NoError(t, c.Close()) }()
	p := start(t, &c, build(t, "tell"))
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if err := c.Set(time.Duration(1-2*(i%2)) * time.Hour); err != nil {
				done <- err
				return
			}
		}
	}()
	seen := map[bool]int{}
	for range 5_000 {
		off := time.Duration(p.ask(t)[0] - time.Now().UnixNano())
		seen[off > 0]++
		require.InDelta(t, time.Hour, off.Abs(), float64(near))
	}
	stop <- struct{}{}
	require.NoError(t, <-done)
	require.Greater(t, seen[true], 10)
	require.Greater(t, seen[false], 10)
}

func TestOffsetsHaveARange(t *testing.T) {
	var c clock.Clock
	require.ErrorIs(t, c.Set(clock.OffsetMax+1), clock.ErrRange)
	require.ErrorIs(t, c.Set(-clock.OffsetMax-1), clock.ErrRange)
	require.Zero(t, c.Offset())
}
