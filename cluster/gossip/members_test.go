package gossip

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func told(t *table) []string {
	var all []string
	for {
		e, ok := t.next()
		if !ok {
			return all
		}
		t.told(e)
		all = append(all, fmt.Sprintf("%v %s@%s %s", e.Kind, e.Member.ID, e.Member.Addr, e.Member.Meta))
	}
}

func TestSlowReaderSeesTheLatestState(t *testing.T) {
	tab := newTable()
	tab.see(Member{ID: "a", Addr: "1", Meta: []byte("old"), Alive: true})
	tab.see(Member{ID: "b", Addr: "1", Alive: true})
	tab.see(Member{ID: "a", Addr: "1", Meta: []byte("new"), Alive: true})
	tab.see(Member{ID: "b", Addr: "1", Alive: false})
	require.Equal(t, []string{"joined a@1 new", "left b@1 "}, told(tab))
	require.Empty(t, told(tab))

	// Gone and back before anybody looked: nothing changed.
	tab.see(Member{ID: "a", Addr: "1", Meta: []byte("new"), Alive: false})
	tab.see(Member{ID: "a", Addr: "1", Meta: []byte("new"), Alive: true})
	require.Empty(t, told(tab))

	tab.see(Member{ID: "a", Addr: "2", Meta: []byte("new"), Alive: true})
	require.Equal(t, []string{"updated a@2 new"}, told(tab))
	tab.see(Member{ID: "b", Addr: "3", Alive: true})
	require.Equal(t, []string{"joined b@3 "}, told(tab))
}

func TestStateThatChangesWhileOnOffer(t *testing.T) {
	tab := newTable()
	tab.see(Member{ID: "a", Addr: "1", Alive: true})
	e, ok := tab.next()
	require.True(t, ok)
	tab.see(Member{ID: "a", Addr: "1", Alive: false})
	tab.told(e) // the reader took the older one
	require.Equal(t, []string{"left a@1 "}, told(tab))
}

func TestConflictIsNoStateChange(t *testing.T) {
	tab := newTable()
	require.False(t, tab.clash("a", "9"), "unknown")
	tab.see(Member{ID: "a", Addr: "1", Alive: true})
	require.True(t, tab.clash("a", "9"))
	require.Equal(t, []string{"joined a@1 ", "conflict a@9 "}, told(tab))
	require.Empty(t, told(tab))
	tab.see(Member{ID: "a", Addr: "1", Alive: false})
	require.False(t, tab.clash("a", "9"), "a node that is gone may move")
}

func TestTableIsBounded(t *testing.T) {
	tab := newTable()
	for i := range membersMax {
		tab.see(Member{ID: fmt.Sprint(i), Addr: "1", Alive: i != 7})
	}
	tab.see(Member{ID: "new", Addr: "1", Alive: true})
	require.Len(t, tab.list(), membersMax)
	require.Nil(t, tab.known["7"], "the one that was gone made room")
	tab.see(Member{ID: "too many", Addr: "1", Alive: true})
	require.Len(t, tab.list(), membersMax)
	require.Len(t, told(tab), membersMax)
}
