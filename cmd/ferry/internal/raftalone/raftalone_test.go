package raftalone

import (
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestThreeReplicas: they elect a leader, which measures.
func TestThreeReplicas(t *testing.T) {
	o := Options{Dir: t.TempDir(), LogStore: "wal"}
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		o.Peers = append(o.Peers, l.Addr().String())
		require.NoError(t, l.Close())
	}
	type replica struct {
		ask  *json.Encoder
		hear *json.Decoder
	}
	var replicas []replica
	for i := range o.Peers {
		o.Self = i
		requests, ask := io.Pipe()
		hear, answers := io.Pipe()
		ended := make(chan error, 1)
		go func(o Options) { ended <- Serve(o, requests, answers, slog.New(slog.DiscardHandler)) }(o)
		t.Cleanup(func() {
			require.NoError(t, ask.Close())
			require.NoError(t, <-ended)
		})
		replicas = append(replicas, replica{json.NewEncoder(ask), json.NewDecoder(hear)})
	}
	exchange := func(r replica, q Request) (a Answer) {
		require.NoError(t, r.ask.Encode(q))
		require.NoError(t, r.hear.Decode(&a))
		return a
	}
	// On a busy machine leadership may move in between.
	for _, kind := range []string{"single", "batched"} {
		require.Eventually(t, func() bool {
			for _, r := range replicas {
				if !exchange(r, Request{Kind: "status"}).Leader {
					continue
				}
				a := exchange(r, Request{Kind: kind, Size: 1024, Duration: 50 * time.Millisecond})
				return a.Error == "" && a.PerSecond > 0 && a.P50 > 0
			}
			return false
		}, 20*time.Second, 20*time.Millisecond)
	}
	require.NotEmpty(t, exchange(replicas[0], Request{Kind: "single"}).Error)
	require.NotEmpty(t, exchange(replicas[0], Request{Kind: "other", Size: 1, Duration: 1}).Error)
}
