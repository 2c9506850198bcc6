package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/cluster/store"
	"github.com/ferrymq/ferrymq/transport"
)

// abandonTimeout bounds the closing of a node that failed: its stores may hang.
const abandonTimeout = 3 * time.Second

// handOverTimeout bounds the wait for another leader.
const handOverTimeout = 3 * time.Second

// goodbyeTimeout bounds the wait until another node has heard of the leaving.
const goodbyeTimeout = time.Second

// errRebuild asks for a new life with empty stores.
var errRebuild = errors.New("the replica must be rebuilt")

// judge says what the end of the cluster's part means for the process.
func judge(err error) error {
	switch {
	case errors.Is(err, cluster.ErrRemoved):
		return fmt.Errorf("%w: %w", ErrRemoved, err)
	case errors.Is(err, cluster.ErrRebuild), errors.Is(err, store.ErrForgotten):
		return fmt.Errorf("%w: %w", errRebuild, err)
	case errors.Is(err, cluster.ErrCorruptState):
		return fmt.Errorf("%w: %w", ErrState, err)
	default:
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
}

// shutDown hands leadership over, sends the clients away, finishes what is
// under way, and closes everything.
func (n *node) shutDown() error {
	ctx, cancel := context.WithTimeout(context.Background(), n.conf.ShutdownTimeout)
	defer cancel()
	n.mux.Handle(transport.KindClient, nil)
	n.handOver(ctx)
	if err := n.broker.Drain(ctx); err != nil {
		// What is still under way gets an unknown outcome; nothing is lost.
		n.log.Warn("not everything was finished in time", "error", err)
	}
	n.sayGoodbye(ctx)
	return n.close()
}

// sayGoodbye tells the others that this node goes. They would find out, so it
// is no failure if nobody hears it; the last one of all never is heard.
func (n *node) sayGoodbye(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, goodbyeTimeout)
	defer cancel()
	if err := n.gossip.Leave(ctx); err != nil {
		n.log.Debug("leaving gossip", "error", err)
	}
}

// handOver moves the leaderships elsewhere, if there is somebody to take them.
func (n *node) handOver(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, handOverTimeout)
	defer cancel()
	for _, g := range n.cluster.Groups() {
		if _, self := g.Leader(); !self {
			continue
		}
		err := n.admin().Control(ctx, transport.Control{Kind: cluster.ControlTransferLeader, Group: g.ID()})
		if err != nil {
			n.log.Warn("leadership was not handed over", "group", g.ID(), "error", err)
		}
	}
}

// abandon closes a node that failed, as far as that goes within its bound.
func (n *node) abandon() error {
	closed := make(chan error, 1)
	go func() { closed <- n.close() }()
	t := time.NewTimer(abandonTimeout)
	defer t.Stop()
	select {
	case err := <-closed:
		return err
	case <-t.C:
		return errors.New("it did not close in time")
	}
}

// close ends every part that was started, the last one first.
func (n *node) close() error {
	var errs []error
	if n.mux != nil {
		n.mux.Handle(transport.KindClient, nil)
	}
	if n.watched != nil {
		close(n.quit)
		<-n.watched
	}
	if n.cluster != nil {
		errs = append(errs, n.cluster.Close())
	}
	if n.broker != nil {
		errs = append(errs, n.broker.Close())
	}
	if n.gossip != nil {
		errs = append(errs, n.gossip.Close())
		n.discovery.wait()
	}
	if n.mux != nil {
		errs = append(errs, n.mux.Close())
		<-n.served
	}
	return errors.Join(errs...)
}
