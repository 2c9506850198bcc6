package serve

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/ferrymq/ferrymq/cluster"
	"github.com/ferrymq/ferrymq/cluster/store"
	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
)

// meta is where the node's identity is kept.
func meta(c *config.Config) cluster.FileMeta {
	return cluster.FileMeta{Path: filepath.Join(c.Data, "identity.json")}
}

func groupDir(c *config.Config, group uint32) string {
	return filepath.Join(c.Data, fmt.Sprintf("group-%d", group))
}

// openStores implements cluster.NodeOptions.OpenStores.
func (n *node) openStores(group uint32, fatal func(error)) (cluster.GroupStores, error) {
	id, _, err := meta(n.conf).Load()
	if err != nil {
		return cluster.GroupStores{}, err
	}
	s, err := store.Open(store.Options{
		Dir:      groupDir(n.conf, group),
		Existing: id.HasStores(group),
		LogStore: n.conf.LogStore,
		Deadline: n.conf.StoreDeadline,
		OnHang: func(op string, took time.Duration) {
			fatal(fmt.Errorf("%w: %s takes longer than %s", store.ErrHung, op, took))
		},
		OnFatal: fatal,
		Logger:  n.log.With("group", group),
	})
	switch {
	case errors.Is(err, store.ErrForgotten):
		return cluster.GroupStores{}, fmt.Errorf("%w: %w", cluster.ErrRebuild, err)
	case errors.Is(err, store.ErrLocked):
		return cluster.GroupStores{}, fmt.Errorf("%w: %w", ErrLocked, err)
	case err != nil:
		return cluster.GroupStores{}, fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return cluster.GroupStores{
		Stores: cluster.Stores{Log: s.Log(), Stable: s.Stable(), Snapshots: s.Snapshots()},
		Close:  s.Close,
	}, nil
}

// wipeStores moves a group's stores aside.
func wipeStores(c *config.Config, group uint32, log *slog.Logger) error {
	to, err := store.Reset(groupDir(c, group))
	if err == nil && to != "" {
		log.Warn("the group's state was moved aside", "group", group, "to", to)
	}
	return err
}

// markRebuild makes the next start wipe the replicas and take a new server id.
func markRebuild(c *config.Config, reason error) error {
	m := meta(c)
	id, some, err := m.Load()
	if err != nil {
		return err
	}
	if !some {
		return errors.New("there is nothing to rebuild")
	}
	if id.Rebuild != "" {
		return nil
	}
	id.Rebuild = reason.Error()
	return m.Save(id)
}
