package network

import (
	"github.com/ferrymq/ferrymq/transport"
	"github.com/ferrymq/ferrymq/transport/memory"
)

// Network connects hosts. Its methods may be called from anywhere.
type Network struct {
	memory  *memory.Network
	weather *weather
}

// New makes a network whose weather is drawn from a seed, and is calm where no
// rule is set.
func New(seed uint64, calm Rule) *Network {
	n := &Network{memory: memory.NewNetwork(), weather: newWeather(seed, calm)}
	n.memory.SetWeather(n.weather)
	return n
}

// Host is the network as the named host sees it.
func (n *Network) Host(name string) transport.Network { return n.memory.Host(name) }

// SetRule sets the weather of both directions between two hosts.
func (n *Network) SetRule(a, b string, r Rule) {
	n.weather.mu.Lock()
	defer n.weather.mu.Unlock()
	n.weather.rules[link{a, b}], n.weather.rules[link{b, a}] = r, r
}

// Cut stops everything between two hosts. Connections stay.
func (n *Network) Cut(a, b string) {
	n.CutOneWay(a, b)
	n.CutOneWay(b, a)
}

// CutOneWay stops what goes from one host to another.
func (n *Network) CutOneWay(from, to string) {
	n.weather.mu.Lock()
	n.weather.cut[link{from, to}] = true
	n.weather.mu.Unlock()
	n.memory.CutOneWay(from, to)
}

// Heal undoes the cuts between two hosts.
func (n *Network) Heal(a, b string) {
	n.weather.mu.Lock()
	delete(n.weather.cut, link{a, b})
	delete(n.weather.cut, link{b, a})
	n.weather.mu.Unlock()
	n.memory.Heal(a, b)
}

// HealAll undoes every cut and takes every rule back.
func (n *Network) HealAll() {
	n.weather.mu.Lock()
	clear(n.weather.cut)
	clear(n.weather.rules)
	n.weather.mu.Unlock()
	n.memory.HealAll()
}

// Reset breaks all connections between two hosts.
func (n *Network) Reset(a, b string) { n.memory.Reset(a, b) }

// Crash breaks all connections of a host and frees its ports.
func (n *Network) Crash(host string) { n.memory.Crash(host) }

// Conns tells how many connections are open, each counted at both ends.
func (n *Network) Conns() int { return n.memory.Conns() }

// Counts is what the weather did so far.
func (n *Network) Counts() Counts {
	n.weather.mu.Lock()
	defer n.weather.mu.Unlock()
	return n.weather.counts
}
