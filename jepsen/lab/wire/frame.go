package wire

import "encoding/binary"

// frame is what a device gives and takes: a header that tells what is left to
// do (virtio_net_hdr, in the machine's byte order), then an IP packet.
//
//	0 flags u8 | 1 segmentation u8 | 2 header bytes u16 | 4 segment bytes u16
//	6 checksum begins at u16 | 8 checksum's place behind that u16
type frame []byte

const (
	frameHeaderBytes = 10
	// frameBytesMax is the largest IP packet with its header.
	frameBytesMax = frameHeaderBytes + 1<<16

	ipv4Bytes = 20 // the shortest header
	tcpBytes  = 20
	udpBytes  = 8

	flagNeedsChecksum = 1

	protocolTCP = 6
	protocolUDP = 17

	tcpFIN = 1
	tcpSYN = 2
	tcpRST = 4
	tcpACK = 16
)

// ipv4 tells whether this is a whole IPv4 packet; all else may only be asked of
// one.
func (f frame) ipv4() bool {
	return len(f) >= frameHeaderBytes+ipv4Bytes && f.packet()[0]>>4 == 4 && f.segment() != nil
}

func (f frame) packet() []byte { return f[frameHeaderBytes:] }

// to is the last byte of the address that the packet goes to.
func (f frame) to() byte { return f.packet()[19] }

func (f frame) protocol() byte { return f.packet()[9] }

// segment is what follows the IP header; nil when the header is not whole.
func (f frame) segment() []byte {
	p := f.packet()
	header := int(p[0]&15) * 4
	if header < ipv4Bytes || header > len(p) {
		return nil
	}
	return p[header:]
}

// payload is what TCP or UDP carries, perhaps nothing.
func (f frame) payload() []byte {
	s := f.segment()
	header := len(s)
	switch {
	case f.protocol() == protocolTCP && len(s) >= tcpBytes:
		header = int(s[12]>>4) * 4
	case f.protocol() == protocolUDP && len(s) >= udpBytes:
		header = udpBytes
	}
	return s[min(header, len(s)):]
}

// mangle flips one bit of the payload, and the receiver cannot tell: the
// checksum is computed after us. It tells whether there was anything to flip.
func (f frame) mangle(random uint64) bool {
	p := f.payload()
	if len(p) == 0 || f[0]&flagNeedsChecksum == 0 {
		return false
	}
	flip(p, random)
	return true
}

// corrupt flips one bit behind the IP header under a checksum that was right,
// so that the receiver drops it.
func (f frame) corrupt(random uint64) bool {
	s := f.segment()
	if len(s) == 0 {
		return false
	}
	f.finish()
	flip(s, random)
	return true
}

func flip(b []byte, random uint64) { b[random>>3%uint64(len(b))] ^= 1 << (random & 7) }

// finish does what the header asks for: it completes the checksum, which holds
// the sum of the pseudo-header so far, and leaves a packet of any size.
func (f frame) finish() {
	begin := int(binary.NativeEndian.Uint16(f[6:]))
	place := begin + int(binary.NativeEndian.Uint16(f[8:]))
	p := f.packet()
	if f[0]&flagNeedsChecksum != 0 && place+2 <= len(p) {
		binary.BigEndian.PutUint16(p[place:], ^checksum(p[begin:], 0))
	}
	clear(f[:frameHeaderBytes])
}

// checksum is the sum of RFC 1071, not inverted.
func checksum(b []byte, sum uint32) uint16 {
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
		sum = sum&0xffff + sum>>16
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}

// reset is the answer that tells the sender of a TCP packet that its connection
// is not there; nil for what must not be answered.
func (f frame) reset() frame {
	s := f.segment()
	if f.protocol() != protocolTCP || len(s) < tcpBytes || s[13]&tcpRST != 0 {
		return nil
	}
	answer := make(frame, frameHeaderBytes+ipv4Bytes+tcpBytes)
	ip, tcp := answer.packet()[:ipv4Bytes], answer.packet()[ipv4Bytes:]
	copy(tcp[0:], s[2:4])
	copy(tcp[2:], s[0:2])
	tcp[12], tcp[13] = tcpBytes/4<<4, tcpRST
	if s[13]&tcpACK != 0 {
		copy(tcp[4:], s[8:12]) // what it awaits next
	} else {
		tcp[13] |= tcpACK
		next := binary.BigEndian.Uint32(s[4:]) + uint32(len(f.payload()))
		next += uint32(s[13]&tcpSYN/tcpSYN + s[13]&tcpFIN/tcpFIN)
		binary.BigEndian.PutUint32(tcp[8:], next)
	}
	ip[0], ip[8], ip[9] = 4<<4|ipv4Bytes/4, 64, protocolTCP
	binary.BigEndian.PutUint16(ip[2:], ipv4Bytes+tcpBytes)
	copy(ip[12:], f.packet()[16:20])
	copy(ip[16:], f.packet()[12:16])
	binary.BigEndian.PutUint16(ip[10:], ^checksum(ip, 0))
	pseudo := uint32(checksum(ip[12:20], protocolTCP+tcpBytes))
	binary.BigEndian.PutUint16(tcp[16:], ^checksum(tcp, pseudo))
	return answer
}
