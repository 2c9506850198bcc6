// Package network is the network of the simulation: package transport/memory
// under a weather of rules for each direction between two hosts, drawn from a
// seeded source, and counts of what they did to the traffic.
//
// It simulates what a stream sees of a bad network, and not packets: a lost
// segment is sent again after a retransmission time-out that doubles, a
// segment that was overtaken holds up what is behind it, a duplicate costs the
// line its time, and a healed link goes on at the sender's next retransmission.
// Bandwidth, windows and congestion are not simulated.
//
// It knows nothing of nodes and of what they say. Start reading in weather.go.
package network
