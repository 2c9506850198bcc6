package cluster

import (
	"io"
	"log/slog"
	"time"

	"github.com/hashicorp/raft"
)

const (
	raftPoolMax     = 3
	raftRPCsInAir   = 16 // costs nothing on loopback and helps on a slow network
	raftIOTimeout   = 10 * time.Second
	raftDialTimeout = 3 * time.Second
)

// NewRaftTransport is raft's transport for one group over a stream layer. The
// directory's address of a server, when it has one, goes before the one that
// raft remembers.
func NewRaftTransport(layer raft.StreamLayer, dir Directory, logger *slog.Logger) raft.Transport {
	if dir == nil {
		dir = nobody{}
	}
	inner := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream:          layer,
		MaxPool:         raftPoolMax,
		MaxRPCsInFlight: raftRPCsInAir,
		Timeout:         raftIOTimeout,
		Logger:          NewHCLogger(logger).Named("raft-net"),
	})
	return &networkTransport{wrapTransport: wrapTransport{inner: inner, dir: dir}, net: inner}
}

// WrapTransport gives any transport of raft the two changes that every group
// needs: no fast path for heartbeats, and AppendEntries bounded in bytes.
func WrapTransport(inner innerTransport) raft.Transport {
	if t, wrapped := inner.(*networkTransport); wrapped {
		return t
	}
	return &wrapTransport{inner: inner, dir: nobody{}}
}

type innerTransport interface {
	raft.Transport
	raft.WithPreVote
	raft.WithClose
}

type networkTransport struct {
	wrapTransport
	net *raft.NetworkTransport
}

// Close also ends the connections that are pooled or being served.
func (t *networkTransport) Close() error {
	err := t.net.Close()
	t.net.CloseStreams()
	return err
}

type wrapTransport struct {
	inner innerTransport
	dir   Directory
}

// SetHeartbeatHandler does nothing. raft would otherwise run appendEntries on
// the transport's goroutine, beside its main loop: a term that rises there
// while the main loop appends as the leader of the old term gives that entry
// the new term, and two logs differ under one term (raft#695). Without a
// handler, heartbeats come through Consumer like every other request.
func (t *wrapTransport) SetHeartbeatHandler(func(raft.RPC)) {}

func (t *wrapTransport) Consumer() <-chan raft.RPC     { return t.inner.Consumer() }
func (t *wrapTransport) LocalAddr() raft.ServerAddress { return t.inner.LocalAddr() }

func (t *wrapTransport) Close() error { return t.inner.Close() }

func (t *wrapTransport) EncodePeer(id raft.ServerID, addr raft.ServerAddress) []byte {
	return t.inner.EncodePeer(id, addr)
}

func (t *wrapTransport) DecodePeer(b []byte) raft.ServerAddress { return t.inner.DecodePeer(b) }

func (t *wrapTransport) at(id raft.ServerID, addr raft.ServerAddress) raft.ServerAddress {
	if now := t.dir.PeerAddr(string(id)); now != "" {
		return RaftAddr(string(id), now)
	}
	return addr
}

func (t *wrapTransport) AppendEntries(id raft.ServerID, to raft.ServerAddress, req *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	boundEntries(req)
	return t.inner.AppendEntries(id, t.at(id, to), req, resp)
}

func (t *wrapTransport) RequestVote(id raft.ServerID, to raft.ServerAddress, req *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return t.inner.RequestVote(id, t.at(id, to), req, resp)
}

func (t *wrapTransport) RequestPreVote(id raft.ServerID, to raft.ServerAddress, req *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return t.inner.RequestPreVote(id, t.at(id, to), req, resp)
}

func (t *wrapTransport) InstallSnapshot(id raft.ServerID, to raft.ServerAddress, req *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	return t.inner.InstallSnapshot(id, t.at(id, to), req, resp, data)
}

func (t *wrapTransport) TimeoutNow(id raft.ServerID, to raft.ServerAddress, req *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	return t.inner.TimeoutNow(id, t.at(id, to), req, resp)
}

func (t *wrapTransport) AppendEntriesPipeline(id raft.ServerID, to raft.ServerAddress) (raft.AppendPipeline, error) {
	p, err := t.inner.AppendEntriesPipeline(id, t.at(id, to))
	if err != nil {
		return nil, err
	}
	return &boundedPipeline{AppendPipeline: p}, nil
}

type boundedPipeline struct{ raft.AppendPipeline }

func (p *boundedPipeline) AppendEntries(req *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	boundEntries(req)
	return p.AppendPipeline.AppendEntries(req, resp)
}

// boundEntries cuts the request to appendEntriesBytesMax, but never below one
// entry. raft counts what it sent by looking at req.Entries after the call,
// and goes on from there, so a shorter request is only a smaller step.
func boundEntries(req *raft.AppendEntriesRequest) {
	bytes := 0
	for i, e := range req.Entries {
		bytes += len(e.Data)
		if bytes > appendEntriesBytesMax && i > 0 {
			req.Entries = req.Entries[:i]
			return
		}
	}
}
