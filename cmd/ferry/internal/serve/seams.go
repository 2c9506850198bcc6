package serve

import (
	"github.com/ferrymq/ferrymq/broker"
	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/transport"
)

// The seams between packages that do not know each other. Each type is what
// the interface beside it asks for, or this does not compile.
var (
	_ broker.Group        = (*cluster.Group)(nil)
	_ broker.Peers        = (*cluster.Peers)(nil)
	_ broker.Admin        = admin{}
	_ cluster.NodeHandler = handler{}
	_ cluster.Tracer      = (*broker.Trace)(nil)
	_ cluster.Discovery   = (*discovery)(nil)
	_ cluster.Meta        = cluster.FileMeta{}
	_ transport.Network   = transport.TCP{}
)
