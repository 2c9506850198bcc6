package nodes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Options of a cluster of processes. Binary is required.
type Options struct {
	// Binary is the ferry program to run.
	Binary string
	// Nodes is how many there are; 0: three.
	Nodes int
	// Dir holds data and logs; "": a temporary folder, removed by Close.
	Dir string
	// Args are given to every node besides its addresses. ArgsOf, which may
	// be nil, adds those of one node.
	Args   []string
	ArgsOf func(i int) []string
	// Addresses of the i-th node; nil: Loopback.
	Addresses func(i int) (Addresses, error)
	// Data is the folder of a node's data, which the node makes itself; nil:
	// one below Dir, which is made for it.
	Data func(name string) string
	// Start starts a node's process; nil: StartProcess.
	Start Starter
}

// nodesMax bounds a cluster on one machine.
const nodesMax = 9

func (o Options) withDefaults() Options {
	if o.Nodes == 0 {
		o.Nodes = 3
	}
	if o.Addresses == nil {
		o.Addresses = Loopback
	}
	if o.Start == nil {
		o.Start = StartProcess
	}
	if o.ArgsOf == nil {
		o.ArgsOf = func(int) []string { return nil }
	}
	return o
}

func (o Options) validate() error {
	var wrong []error
	if o.Binary == "" {
		wrong = append(wrong, errors.New("option Binary is empty"))
	}
	if o.Nodes < 1 || o.Nodes > nodesMax {
		wrong = append(wrong, fmt.Errorf("option Nodes is %d, not 1 to %d", o.Nodes, nodesMax))
	}
	return errors.Join(wrong...)
}

// Cluster is a set of nodes on loopback. It is used from one goroutine.
type Cluster struct {
	dir     string
	ownsDir bool
	nodes   []*Node
}

// NewCluster chooses folders and ports and starts nothing.
func NewCluster(o Options) (*Cluster, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	c := &Cluster{dir: o.Dir}
	if c.dir == "" {
		dir, err := os.MkdirTemp("", "ferry-jepsen-")
		if err != nil {
			return nil, err
		}
		c.dir, c.ownsDir = dir, true
	}
	for i := range o.Nodes {
		n, err := newNode(i, c.dir, o)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.nodes = append(c.nodes, n)
	}
	for i, n := range c.nodes {
		n.args = slices.Concat(n.arguments(c.gossipOfOthers(n), o.Nodes), o.Args, o.ArgsOf(i))
	}
	return c, nil
}

func (c *Cluster) gossipOfOthers(self *Node) []string {
	var others []string
	for _, n := range c.nodes {
		if n != self {
			others = append(others, n.gossip)
		}
	}
	return others
}

// Start starts every node and waits until all of them are ready.
func (c *Cluster) Start(ctx context.Context) error {
	for _, n := range c.nodes {
		if err := n.Start(); err != nil {
			return err
		}
	}
	for _, n := range c.nodes { // one that has ended already is not ready either
		if err := n.Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Ready waits until every running node is ready.
func (c *Cluster) Ready(ctx context.Context) error {
	for _, n := range c.nodes {
		if !n.Running() {
			continue
		}
		if err := n.Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Nodes lists the nodes, running or not.
func (c *Cluster) Nodes() []*Node { return slices.Clone(c.nodes) }

// Node finds a node by its name; nil if there is none.
func (c *Cluster) Node(name string) *Node {
	for _, n := range c.nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// URL names every node, beginning with the i-th (modulo their number), so that
// clients of different i begin at different nodes.
func (c *Cluster) URL(i int) string {
	var addresses []string
	for k := range c.nodes {
		addresses = append(addresses, c.nodes[(i+k)%len(c.nodes)].Addr)
	}
	return "ferry://" + strings.Join(addresses, ",")
}

// Close kills what still runs and removes the folder if the cluster made it.
func (c *Cluster) Close() error {
	err := c.killAll()
	if c.ownsDir {
		err = errors.Join(err, os.RemoveAll(c.dir))
	}
	return err
}

// CloseKeeping kills what still runs and tells the folder, which stays, for
// whoever wants to know what went wrong.
func (c *Cluster) CloseKeeping() (dir string, err error) {
	return c.dir, c.killAll()
}

func (c *Cluster) killAll() error {
	var errs []error
	for _, n := range c.nodes {
		errs = append(errs, n.Kill())
	}
	return errors.Join(errs...)
}

// Logs tells where each node's log is.
func (c *Cluster) Logs() []string {
	logs, err := filepath.Glob(filepath.Join(c.dir, "*.log"))
	if err != nil {
		return nil // the pattern is constant and well formed
	}
	return logs
}
