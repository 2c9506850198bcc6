package nodes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ferrymq/ferrymq/jepsen/nodes/ports"
)

// Node is one `ferry server` process, and stays the same node when the process
// is killed and started again. It is used from one goroutine.
type Node struct {
	Name string
	Addr string // for clients

	Data   string // folder
	Log    string // file
	gossip string
	http   string
	binary string
	args   []string
	start  Starter

	process Process
}

// Addresses of a node, each host:port.
type Addresses struct{ Clients, Gossip, HTTP string }

// Loopback gives free ports of this machine, whatever the node.
func Loopback(int) (a Addresses, err error) {
	for _, address := range []*string{&a.Clients, &a.Gossip, &a.HTTP} {
		if _, *address, err = ports.Free(); err != nil {
			return a, err
		}
	}
	return a, nil
}

func newNode(i int, dir string, o Options) (*Node, error) {
	a, err := o.Addresses(i)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("n%d", i+1)
	n := &Node{
		Name: name, Addr: a.Clients, gossip: a.Gossip, http: a.HTTP, binary: o.Binary, start: o.Start,
		Data: filepath.Join(dir, name), Log: filepath.Join(dir, name+".log"),
	}
	if o.Data != nil {
		n.Data = o.Data(name)
		return n, nil
	}
	return n, os.MkdirAll(n.Data, 0o700)
}

func (n *Node) arguments(join []string, expect int) []string {
	args := []string{
		"server", "--node", n.Name, "--data", n.Data, "--listen", n.Addr,
		"--gossip", n.gossip, "--http", n.http, "--bootstrap-expect", fmt.Sprint(expect),
	}
	if len(join) > 0 {
		args = append(args, "--join", strings.Join(join, ","))
	}
	return args
}

// Start starts the process. It does not wait until the node is ready.
func (n *Node) Start() error {
	if n.Running() {
		return fmt.Errorf("%s runs already", n.Name)
	}
	p, err := n.start(n.Name, n.binary, n.args, n.Log)
	if err != nil {
		return err
	}
	n.process = p
	return nil
}

// Running tells whether the process lives.
func (n *Node) Running() bool {
	if n.process == nil {
		return false
	}
	select {
	case <-n.process.Done():
		return false
	default:
		return true
	}
}

// HTTP is the address of metrics and health.
func (n *Node) HTTP() string { return n.http }

// Exited tells that the process ended, and how: nil for exit status 0.
func (n *Node) Exited() (ended bool, err error) {
	if n.process == nil || n.Running() {
		return false, nil
	}
	return true, n.process.Err()
}

// Process is the running or the last process of the node; nil before the first.
func (n *Node) Process() Process { return n.process }

// Pid of the running process; 0 when it does not run.
func (n *Node) Pid() int {
	if !n.Running() {
		return 0
	}
	return n.process.Pid()
}

// Kill sends SIGKILL and waits until the process is gone. Killing a node that
// does not run does nothing.
func (n *Node) Kill() error {
	if !n.Running() {
		return nil
	}
	if err := n.process.Kill(); err != nil {
		return fmt.Errorf("kill %s: %w", n.Name, err)
	}
	return nil
}

// Stop sends SIGTERM and waits for exit status 0.
func (n *Node) Stop(ctx context.Context) error {
	if !n.Running() {
		return fmt.Errorf("%s does not run", n.Name)
	}
	if err := n.process.Stop(ctx); err != nil {
		return fmt.Errorf("stop %s: %w", n.Name, err)
	}
	return nil
}

// readyPoll is how often a node that is not ready yet is asked again.
const readyPoll = 25 * time.Millisecond

// ErrExited says that a node's process ended by itself.
var ErrExited = errors.New("the process exited")

// Ready waits until the node says that it is ready.
func (n *Node) Ready(ctx context.Context) error {
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		err := n.ask(ctx, "/readyz")
		if err == nil {
			return nil
		}
		if !n.Running() {
			return fmt.Errorf("%s: %w: %s", n.Name, ErrExited, n.Tail())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w: %w", n.Name, ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// pageMax bounds what is read of a health page.
const pageMax = 64 << 10

func (n *Node) ask(ctx context.Context, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.http+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	page, err := io.ReadAll(io.LimitReader(response.Body, pageMax))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(page)))
	}
	return nil
}

// tailBytes is how much of a log is shown with an error.
const tailBytes = 2_000

// Tail is the end of the node's log.
func (n *Node) Tail() string {
	text, err := os.ReadFile(n.Log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-tailBytes):])
}
