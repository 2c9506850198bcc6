package cluster

import (
	"path/filepath"
	"testing"
	"testing/synctest"
)

// From the first start on the identity knows that there are stores, and after
// a rebuild that they may be missing once.
func TestIdentityRemembersItsStores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var before []bool
		s := newNodeSim(t, func(name string, o *NodeOptions) {
			open := o.OpenStores
			o.OpenStores = func(group uint32, fatal func(error)) (GroupStores, error) {
				id, _, err := o.Meta.Load()
				if err != nil {
					return GroupStores{}, err
				}
				before = append(before, id.HasStores(group))
				return open(group, fatal)
			}
		})
		defer s.close()
		h := s.add("a")
		s.stop(h)
		s.start(h)
		if err := h.id.markRebuild("test", false); err != nil {
			t.Fatal(err)
		}
		s.stop(h)
		s.start(h)
		s.stop(h)
		s.start(h)
		if len(before) != 4 || before[0] || !before[1] || before[2] || !before[3] {
			t.Errorf("stores expected: %v", before)
		}
	})
}

func TestHasStores(t *testing.T) {
	m := FileMeta{Path: filepath.Join(t.TempDir(), "identity.json")}
	if err := m.Save(Identity{Name: "a", ServerID: "a-00000000", Stored: storesOf([]uint32{12, 0})}); err != nil {
		t.Fatal(err)
	}
	id, _, err := m.Load()
	if err != nil {
		t.Fatal(err)
	}
	for group, want := range map[uint32]bool{0: true, 12: true, 1: false, 2: false} {
		if id.HasStores(group) != want {
			t.Errorf("group %d: %v", group, !want)
		}
	}
}
