package cluster

import (
	"errors"
	"fmt"
	"sync"
)

// identity is the node's Identity, read by many and saved before it is shown.
type identity struct {
	meta Meta

	mu  sync.Mutex
	now Identity
}

// openIdentity loads the identity or makes a new one. A folder whose replicas
// must be rebuilt is wiped here, and the node goes on under a new server id:
// what its old one promised, it no longer remembers.
func openIdentity(o NodeOptions) (*identity, error) {
	id, some, err := o.Meta.Load()
	if err != nil {
		return nil, fmt.Errorf("load the node's identity: %w", err)
	}
	x := &identity{meta: o.Meta, now: id}
	switch {
	case !some:
		return x, x.change(func(id *Identity) {
			*id = Identity{Name: o.Name, ServerID: o.ServerID}
			if id.ServerID == "" {
				id.ServerID = newServerID(o.Name)
			}
		})
	case id.Removed:
		return nil, ErrRemoved
	case id.Name != o.Name:
		return nil, fmt.Errorf("cluster: the data folder belongs to node %q, this is %q", id.Name, o.Name)
	case id.Rebuild != "":
		return x, x.rebuild(o)
	}
	return x, nil
}

// rebuild wipes the replicas. The mark goes last, so that a crash repeats it.
func (x *identity) rebuild(o NodeOptions) error {
	o.Logger.Warn("wiping this node's replicas to rebuild them", "reason", x.now.Rebuild, "old_server_id", x.now.ServerID)
	var errs []error
	for _, group := range o.Groups {
		errs = append(errs, o.WipeStores(group))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("wipe: %w", err)
	}
	return x.change(func(id *Identity) {
		id.ServerID, id.Stored = newServerID(id.Name), ""
		id.Rebuild = ""
	})
}

func (x *identity) get() Identity {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.now
}

// change saves, and only then shows, what f does. Saving is rare, and nobody
// may see an identity that is not durable, so the lock covers it.
func (x *identity) change(f func(*Identity)) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	next := x.now
	f(&next)
	if next == x.now {
		return nil
	}
	if err := x.meta.Save(next); err != nil {
		return fmt.Errorf("save the node's identity: %w", err)
	}
	x.now = next
	return nil
}

// adopt makes the node belong to a cluster, once and for all.
func (x *identity) adopt(cluster [16]byte) error {
	wrong := false
	err := x.change(func(id *Identity) {
		if id.ClusterID == [16]byte{} {
			id.ClusterID = cluster
		}
		wrong = id.ClusterID != cluster
	})
	if err == nil && wrong {
		err = fmt.Errorf("%w: %x, this is %x", ErrWrongCluster, cluster, x.get().ClusterID)
	}
	return err
}

func (x *identity) markRemoved() error {
	return x.change(func(id *Identity) { id.Removed = true })
}

func (x *identity) markRebuild(reason string, diverged bool) error {
	return x.change(func(id *Identity) {
		id.Rebuild = reason
		if diverged {
			id.Diverged++
		}
	})
}
