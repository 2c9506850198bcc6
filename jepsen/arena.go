//go:build linux

package jepsen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/ferryfs"
	"github.com/ferrymq/ferrymq/jepsen/history"
	"github.com/ferrymq/ferrymq/jepsen/lab"
	"github.com/ferrymq/ferrymq/jepsen/lab/wire"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

const (

	// arenaBytesMax bounds what the nodes of a run write, in memory: a disk of
	// the machine would add its own noise, and a power loss is made above it.
	arenaBytesMax = 6 << 30

	// storeDeadline is the nodes' --store-deadline: short, so that a run sees it.
	storeDeadline = 2 * time.Second

	// snapshotBytes makes snapshots frequent.
	snapshotBytes = "4MiB"
	// Most nodes keep their log, so that it can be read in the end. One keeps
	// little: when it leads, whoever lags has to be sent a snapshot.
	trailingLong  = "4GiB"
	trailingShort = "1MiB"
)

// arena is the place of one run: hosts with a network, disks and clocks that
// can be hurt, and the cluster on them.
type arena struct {
	o       Options
	seed    uint64
	nemesis nemesis
	ctx     context.Context // of the whole run
	rand    *rand.Rand      // the nemesis's
	rec     *history.Recorder
	events  io.Writer // what the harness did, for a person
	phase   func(name string)

	dir      string // mounts and data
	lab      *lab.Lab
	net      *wire.Net
	cluster  *nodes.Cluster
	machines []*machine
	admin    *client.Conn
	clients  clients
	crew     *crew // nil before there was traffic

	faults     []history.Fault
	lastLeader string
}

// machine is a node with the host and the disk that it stands on.
type machine struct {
	*nodes.Node
	host *lab.Host
	disk *ferryfs.FS
}

func newArena(ctx context.Context, o Options, p plan, reportDir string, events io.Writer) (a *arena, err error) {
	count := p.nemesis.nodes
	if o.Nodes != 0 {
		count = max(o.Nodes, count)
	}
	if count == 0 {
		count = 3
	}
	a = &arena{
		o: o, seed: p.seed, ctx: ctx, rand: rand.New(rand.NewPCG(p.seed, 0)), rec: history.NewRecorder(), nemesis: p.nemesis,
		events: events, phase: func(string) {},
		dir: filepath.Join(lab.Dir, "arena"),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	if err := a.ground(); err != nil {
		return nil, err
	}
	if a.lab, err = lab.New(p.seed); err != nil {
		return nil, err
	}
	a.net = a.lab.Net
	for i := range count {
		if err := a.addMachine(fmt.Sprintf("n%d", i+1)); err != nil {
			return nil, err
		}
	}
	return a, a.startCluster(reportDir)
}

// ground is the memory that everything lies in.
func (a *arena) ground() error {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", a.dir, "tmpfs", 0, fmt.Sprintf("size=%d", int64(arenaBytesMax))); err != nil {
		return fmt.Errorf("memory for the nodes' disks: %w", err)
	}
	return nil
}

func (a *arena) addMachine(name string) error {
	m := &machine{}
	var err error
	if m.host, err = a.lab.AddHost(name); err != nil {
		return err
	}
	backing, mount := filepath.Join(a.dir, name+".disk"), filepath.Join(a.dir, name)
	if err := errors.Join(os.Mkdir(backing, 0o700), os.Mkdir(mount, 0o700)); err != nil {
		return err
	}
	if m.disk, err = ferryfs.Mount(ferryfs.Options{Backing: backing, Mountpoint: mount}); err != nil {
		return err
	}
	a.machines = append(a.machines, m)
	return nil
}

// key is what nodes prove to each other. It is no secret: the network is the run's own.
const key = "the nodes of a run trust each other with this key"

func (a *arena) startCluster(reportDir string) error {
	keyFile := filepath.Join(a.dir, "key")
	if err := os.WriteFile(keyFile, []byte(key), 0o600); err != nil {
		return err
	}
	var err error
	a.cluster, err = nodes.NewCluster(nodes.Options{
		Binary: a.o.Binary, Nodes: len(a.machines), Dir: reportDir,
		Args: []string{
			"--cluster-key-file", keyFile, "--store-deadline", storeDeadline.String(), "--snapshot-bytes", snapshotBytes,
		},
		ArgsOf: func(i int) []string {
			if i == len(a.machines)-1 {
				return []string{"--trailing-bytes", trailingShort}
			}
			return []string{"--trailing-bytes", trailingLong}
		},
		Addresses: func(i int) (nodes.Addresses, error) {
			ip := a.machines[i].host.IP.String()
			return nodes.Addresses{Clients: ip + ":7700", Gossip: ip + ":7701", HTTP: ip + ":7702"}, nil
		},
		Data:  func(name string) string { return filepath.Join(a.dir, name, "data") },
		Start: a.lab.Start,
	})
	if err != nil {
		return err
	}
	for i, n := range a.cluster.Nodes() {
		a.machines[i].Node = n
	}
	err = bounded(a.ctx, startsIn, func(ctx context.Context) error {
		if err := a.cluster.Start(ctx); err != nil {
			return err
		}
		a.admin, err = client.Dial(ctx, a.cluster.URL(0), client.WithName("harness"), client.WithRequestTimeout(adminTimeout))
		return err
	})
	if err != nil {
		return err
	}
	return bounded(a.ctx, startsIn, a.whole)
}

const adminTimeout = 5 * time.Second

// close takes everything down. It may be called at any time.
func (a *arena) close() error {
	errs := []error{a.endClients()}
	if a.admin != nil {
		errs = append(errs, ignoreClosed(a.admin.Close()))
	}
	if a.cluster != nil {
		for _, m := range a.machines {
			m.disk.Calm() // a process with a call in a hanging disk cannot end
		}
		_, err := a.cluster.CloseKeeping()
		errs = append(errs, err)
	}
	for _, m := range a.machines {
		errs = append(errs, m.disk.Close())
	}
	if a.lab != nil {
		errs = append(errs, a.lab.Close())
	}
	errs = append(errs, syscall.Unmount(a.dir, 0))
	return errors.Join(errs...)
}

func ignoreClosed(err error) error {
	if errors.Is(err, client.ErrClosed) {
		return nil
	}
	return err
}

func (a *arena) machine(name string) *machine {
	i := slices.IndexFunc(a.machines, func(m *machine) bool { return m.host.Name == name })
	return a.machines[i]
}

func names(ms []*machine) []string {
	var all []string
	for _, m := range ms {
		all = append(all, m.host.Name)
	}
	return all
}

// urls are those of single nodes, by name.
func (a *arena) urls() map[string]string {
	urls := map[string]string{}
	for _, m := range a.machines {
		urls[m.Name] = "ferry://" + m.Addr
	}
	return urls
}

func (a *arena) others(m *machine) []*machine {
	return slices.DeleteFunc(slices.Clone(a.machines), func(o *machine) bool { return o == m })
}

// tell writes down what the harness does.
func (a *arena) tell(format string, args ...any) {
	fmt.Fprintf(a.events, "%8.3f  %s\n", float64(a.rec.Now())/1e9, fmt.Sprintf(format, args...))
}
