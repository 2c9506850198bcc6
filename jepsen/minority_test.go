//go:build linux

package jepsen

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ferrymq/ferrymq/client"
	"github.com/ferrymq/ferrymq/jepsen/nodes"
)

// A minority of one node refuses to publish, with a typed error and in time,
// and confirms nothing. When the others are back, so is the cluster.
func TestMinorityRefusesWrites(t *testing.T) {
	t.Parallel() // waits for deadlines most of the time
	s := start(t, nodes.Options{})
	require.NoError(t, s.admin.CreateQueue(s.ctx, "minority", client.QueueSettings{}))
	survivor := s.cluster.Nodes()[0]
	conn := s.dial("ferry://"+survivor.Addr, client.WithFollowLeader(false))
	_, err := conn.Publish(s.ctx, "minority", client.Message{Body: []byte("before")})
	require.NoError(t, err)

	others := s.cluster.Nodes()[1:]
	s.kill(others...)
	for range 3 {
		const deadline = 1500 * time.Millisecond
		ctx, cancel := context.WithTimeout(s.ctx, deadline)
		asked := time.Now()
		_, err := conn.Publish(ctx, "minority", client.Message{Body: []byte("during")})
		cancel()
		took := time.Since(asked)
		require.Error(t, err, "a minority confirmed a publish")
		var typed *client.Error
		require.ErrorAs(t, err, &typed)
		require.True(t, refusal(err), "unclear: %v", err)
		require.Less(t, took, deadline+refusalSlack)
		t.Logf("refused after %v: %v", took.Round(time.Millisecond), err)
	}

	s.restart(others...)
	s.await(func() bool {
		_, err := conn.Publish(s.ctx, "minority", client.Message{Body: []byte("after")})
		return err == nil
	}, "a publish after healing")
	s.sameEverywhere()
}

// refusalSlack is how late a refusal may be told on a machine with other work.
const refusalSlack = 10 * time.Second

// refusal tells that an error says clearly that the cluster could not decide.
func refusal(err error) bool {
	for _, clear := range []error{client.ErrNoLeader, client.ErrTimeout, client.ErrUnknownOutcome, client.ErrBusy} {
		if errors.Is(err, clear) {
			return true
		}
	}
	return false
}
