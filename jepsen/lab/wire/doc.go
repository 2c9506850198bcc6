// Package wire is a network between namespaces whose every directed link can be
// hurt: cut one way, slowed, made to lose, reorder, repeat or damage packets.
//
// Each host has a network namespace with one TUN device. Between the devices
// there is no kernel network but this package's switch, which reads packets from
// one and writes them to another, by the rule of the link between them. What a
// rule decides is decided by the seed and the count of packets on that link.
//
// Packets are as large as the kernel's offloads make them: up to 64 KiB of TCP
// travel, are lost and are damaged as one.
//
// It owns namespaces, devices and rules; it knows nothing of what is sent, or of
// processes. Start reading in rule.go; link.go carries out a rule, net_linux.go
// joins hosts.
package wire
