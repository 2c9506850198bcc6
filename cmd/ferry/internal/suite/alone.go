package suite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/raftalone"
)

// alone is three processes of hashicorp/raft with nothing above it.
type alone struct{ replicas []*replica }

type replica struct {
	*process
	ask  *json.Encoder
	hear *json.Decoder
}

var errNoLeader = errors.New("no leader yet")

func startAlone(ctx context.Context, o Options) (*alone, error) {
	addrs, err := freeAddrs(nodes)
	if err != nil {
		return nil, err
	}
	a := &alone{}
	for i := range nodes {
		p, err := start(o.Dir, fmt.Sprintf("raft-alone-%d", i), "raft-alone", "--self", fmt.Sprint(i),
			"--peers", strings.Join(addrs, ","), "--data", o.Dir, "--log-store", o.LogStore)
		if err != nil {
			return nil, errors.Join(err, a.stop())
		}
		a.replicas = append(a.replicas, &replica{p, json.NewEncoder(p.in), json.NewDecoder(p.out)})
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := until(ctx, func() error { _, err := a.leader(); return err }); err != nil {
		return nil, errors.Join(fmt.Errorf("raft alone: %w", err), a.stop())
	}
	return a, nil
}

func (r *replica) exchange(q raftalone.Request) (answer raftalone.Answer, err error) {
	if err := r.ask.Encode(q); err != nil {
		return answer, err
	}
	return answer, r.hear.Decode(&answer)
}

func (a *alone) leader() (*replica, error) {
	for _, r := range a.replicas {
		answer, err := r.exchange(raftalone.Request{Kind: "status"})
		if err != nil {
			return nil, err
		}
		if answer.Leader {
			return r, nil
		}
	}
	return nil, errNoLeader
}

// measure asks the leader to measure.
func (a *alone) measure(kind string, size int, d time.Duration) (raftalone.Answer, error) {
	leader, err := a.leader()
	if err != nil {
		return raftalone.Answer{}, fmt.Errorf("raft alone: %w", err)
	}
	answer, err := leader.exchange(raftalone.Request{Kind: kind, Size: size, Duration: d})
	if err == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	}
	if err != nil {
		return answer, fmt.Errorf("raft alone, %s of %d bytes: %w", kind, size, err)
	}
	return answer, nil
}

func (a *alone) stop() error {
	errs := make([]error, len(a.replicas))
	for i, r := range a.replicas {
		errs[i] = r.stop()
	}
	return errors.Join(errs...)
}
