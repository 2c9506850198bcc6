package cluster

import (
	"errors"
	"fmt"

	"github.com/ferrymq/ferrymq/transport"
)

// Found is a node that discovery knows of.
type Found struct {
	Meta  []byte // what it says of itself: an encoded NodeMeta
	Alive bool   // believed to be
}

// Discovery finds nodes and carries 512 bytes of each. What it says is only
// ever a hint: it makes nobody a voter and removes nobody.
type Discovery interface {
	// Members lists the nodes ever seen, this one included or not.
	Members() []Found
	// Changed may get a value when Members changes; nil is allowed.
	Changed() <-chan struct{}
	// UpdateMeta changes what the others are told of this node.
	UpdateMeta(meta []byte) error
}

// NodeMetaMax is what discovery carries of a node.
const NodeMetaMax = 512

// NodeMeta is what a node says of itself.
type NodeMeta struct {
	Node       string
	ServerID   string
	PeerAddr   string
	ClientAddr string
	ClusterID  [16]byte
	HasState   bool
	Expect     uint32 // --bootstrap-expect
}

// ErrMeta: a node's meta is too long or cannot be read.
var ErrMeta = errors.New("cluster: bad node meta")

// Encode makes the bytes for Discovery.
func (m NodeMeta) Encode() ([]byte, error) {
	b := transport.Marshal(&m)
	if len(b) > NodeMetaMax {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrMeta, len(b), NodeMetaMax)
	}
	return b, nil
}

// DecodeNodeMeta reads the bytes of a node.
func DecodeNodeMeta(b []byte) (NodeMeta, error) {
	var m NodeMeta
	if len(b) > NodeMetaMax {
		return m, fmt.Errorf("%w: %d bytes", ErrMeta, len(b))
	}
	if err := transport.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("%w: %w", ErrMeta, err)
	}
	if m.Node == "" || m.ServerID == "" || m.PeerAddr == "" {
		return m, fmt.Errorf("%w: node %q, server %q, address %q", ErrMeta, m.Node, m.ServerID, m.PeerAddr)
	}
	return m, nil
}
