package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/serve"
)

const (
	devNodes      = 3
	devPort       = 7700
	devPortStep   = 10
	devReadyLimit = time.Minute
	devReadyPoll  = 20 * time.Millisecond
)

// devFlags are the flags of `ferry dev`.
type devFlags struct {
	data     string
	port     int
	logLevel string
	logStore string
}

func (a *app) dev() *cobra.Command {
	f := &devFlags{}
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run three nodes on this machine, in one process",
		Long: "Run three nodes on this machine, in one process, and print how to connect.\n" +
			"Without --data everything is gone when it ends.",
	}
	flags := c.Flags()
	flags.StringVar(&f.data, "data", "", "folder to keep data in (default: a temporary one)")
	flags.IntVar(&f.port, "port", devPort, "first node's port; the next are 10 and 20 above; 0: free ones")
	flags.StringVar(&f.logLevel, "log-level", "error", "debug, info, warn or error")
	flags.StringVar(&f.logStore, "log-store", config.LogStoreWAL, "store of the Raft log: wal or boltdb")
	c.RunE = func(cmd *cobra.Command, _ []string) error { return a.runDev(cmd.Context(), f) }
	return c
}

func (a *app) runDev(ctx context.Context, f *devFlags) (err error) {
	dir := f.data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "ferry-dev-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	settings, err := f.settings(dir)
	if err != nil {
		return err
	}
	began := time.Now()
	nodes := &devCluster{ended: make(chan struct{}, devNodes)}
	log := &muteable{to: a.Err}
	defer log.mute() // some of memberlist's goroutines outlive its end, and log
	defer func() { err = errors.Join(err, nodes.stop()) }()
	for _, s := range settings {
		if err := nodes.start(s, serve.NewLogger(s, log)); err != nil {
			return err
		}
	}
	if ready, err := nodes.ready(ctx); err != nil || !ready {
		return err
	}
	if err := a.devBanner(settings, dir, f.data == "", time.Since(began)); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		// The last nodes miss the first ones; nobody wants to read of it. What
		// goes wrong is still told by the end of each.
		log.mute()
		_, err := fmt.Fprintln(a.Out, "\nstopping")
		return err
	case <-nodes.ended:
		return nil // stop tells why
	}
}

// settings of the three nodes. Those given by flags are judged before ports
// are looked for.
func (f *devFlags) settings(dir string) ([]*config.Config, error) {
	common := config.Default()
	common.Node, common.LogLevel, common.LogStore = "n1", f.logLevel, f.logStore
	if err := common.Validate(); err != nil {
		return nil, usageError{err}
	}
	if err := within("port", f.port, 0, math.MaxUint16-devNodes*devPortStep); err != nil {
		return nil, err
	}
	addrs, err := f.addresses()
	if err != nil {
		return nil, err
	}
	var gossip []string
	for i := range devNodes {
		gossip = append(gossip, addrs[3*i+1])
	}
	var all []*config.Config
	for i := range devNodes {
		c := *common
		c.Node = fmt.Sprintf("n%d", i+1)
		c.Data = filepath.Join(dir, c.Node)
		c.Listen, c.Gossip, c.HTTP = addrs[3*i], addrs[3*i+1], addrs[3*i+2]
		c.Advertise, c.AdvertiseClient, c.AdvertiseGossip = c.Listen, c.Listen, c.Gossip
		c.Join, c.BootstrapExpect = gossip, devNodes
		all = append(all, &c)
	}
	return all, nil
}

// addresses are three for each node: clients, gossip, HTTP.
func (f *devFlags) addresses() ([]string, error) {
	var addrs []string
	for i := range devNodes {
		for j := range 3 {
			port := 0
			if f.port != 0 {
				port = f.port + i*devPortStep + j
			}
			// Held until all are known: free ones then differ, and a port in
			// use is told before anything starts.
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err != nil {
				return nil, fmt.Errorf("port %d is not free (choose others with --port, 0 for free ones): %w", port, err)
			}
			defer l.Close()
			addrs = append(addrs, l.Addr().String())
		}
	}
	return addrs, nil
}

func (a *app) devBanner(settings []*config.Config, dir string, temporary bool, took time.Duration) error {
	var urls []string
	for _, c := range settings {
		urls = append(urls, c.Listen)
	}
	url := "ferry://" + strings.Join(urls, ",")
	bold, dim, green := a.color("1"), a.color("2"), a.color("32")
	var b strings.Builder
	fmt.Fprintf(&b, "%s three nodes are ready after %.1f s\n\n", green("FerryMQ:"), took.Seconds())
	for _, c := range settings {
		fmt.Fprintf(&b, "  %s  clients %s   metrics and health http://%s\n", bold(c.Node), c.Listen, c.HTTP)
	}
	where := dir
	if temporary {
		where += dim(" (removed at the end)")
	}
	fmt.Fprintf(&b, "\n  data  %s\n\nConnect with\n\n  %s\n\nTry, in another terminal\n\n", where, bold(url))
	if settings[0].Listen != strings.TrimPrefix(defaultURL, "ferry://") {
		fmt.Fprintf(&b, "  %s\n", bold("export FERRY_URL="+url))
	}
	for _, line := range []string{"ferry queue create orders", "ferry publish orders hello", "ferry consume orders", "ferry cluster status"} {
		fmt.Fprintf(&b, "  %s\n", bold(line))
	}
	fmt.Fprintf(&b, "\n%s\n", dim("Ctrl-C stops."))
	_, err := fmt.Fprint(a.Out, b.String())
	return err
}

// color makes a function that colors text if somebody watches.
func (a *app) color(code string) func(string) string {
	return func(s string) string {
		if !a.Color {
			return s
		}
		return "\x1b[" + code + "m" + s + "\x1b[0m"
	}
}
