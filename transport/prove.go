package transport

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net"
	"time"
)

// The proof of the cluster key, on peer and Raft links, right after the
// preface. Both sides prove that they hold the key, neither sends it:
//
//	dialer   -> acceptor   "PRV1" | dialer's nonce (32)
//	acceptor -> dialer     "PRV1" | acceptor's nonce (32) | HMAC(key, "acceptor" ...)
//	dialer   -> acceptor   "PRV1" | HMAC(key, "dialer" ...)
//
// HMAC is HMAC-SHA256 over the label, a zero byte, the 32 bytes of the preface,
// the dialer's nonce and the acceptor's nonce. The labels differ, so neither
// side's answer can be played back to it; the preface is in it, so an answer
// for one kind, cluster or group is none for another. It authenticates, it
// does not encrypt.

const (
	proofMark  = "PRV1"
	nonceSize  = 32
	proofLabel = "ferrymq "
)

// Prove is the dialer's half, after it wrote the preface p. It blocks at most
// for timeout. ErrProof means that the other side does not hold the key.
func Prove(nc net.Conn, key []byte, p Preface, timeout time.Duration) error {
	if err := nc.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	var dialer [nonceSize]byte
	if _, err := rand.Read(dialer[:]); err != nil {
		return err
	}
	if err := writeProof(nc, dialer[:]); err != nil {
		return err
	}
	answer, err := readProof(nc, nonceSize+sha256.Size)
	if err != nil {
		return err
	}
	acceptor := answer[:nonceSize]
	if !hmac.Equal(answer[nonceSize:], proof(key, "acceptor", p, dialer[:], acceptor)) {
		return proofError("the acceptor's proof is wrong")
	}
	if err := writeProof(nc, proof(key, "dialer", p, dialer[:], acceptor)); err != nil {
		return err
	}
	return nc.SetDeadline(time.Time{})
}

// Verify is the acceptor's half, after it read the preface p. It blocks at
// most for timeout. ErrProof means that the other side does not hold the key.
func Verify(nc net.Conn, key []byte, p Preface, timeout time.Duration) error {
	if err := nc.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	dialer, err := readProof(nc, nonceSize)
	if err != nil {
		return err
	}
	var acceptor [nonceSize]byte
	if _, err := rand.Read(acceptor[:]); err != nil {
		return err
	}
	if err := writeProof(nc, acceptor[:], proof(key, "acceptor", p, dialer, acceptor[:])); err != nil {
		return err
	}
	answer, err := readProof(nc, sha256.Size)
	if err != nil {
		return err
	}
	if !hmac.Equal(answer, proof(key, "dialer", p, dialer, acceptor[:])) {
		return proofError("the dialer's proof is wrong")
	}
	return nc.SetDeadline(time.Time{})
}

func proof(key []byte, label string, p Preface, dialer, acceptor []byte) []byte {
	h := hmac.New(sha256.New, key)
	b := append([]byte(proofLabel+label), 0)
	b = AppendPreface(b, p)
	b = append(b, dialer...)
	b = append(b, acceptor...)
	h.Write(b)
	return h.Sum(nil)
}

func writeProof(nc net.Conn, parts ...[]byte) error {
	b := []byte(proofMark)
	for _, part := range parts {
		b = append(b, part...)
	}
	_, err := nc.Write(b)
	return err
}

// readProof reads n bytes after the mark. A side without a key sends something
// else there, and is known by it.
func readProof(nc net.Conn, n int) ([]byte, error) {
	b := make([]byte, len(proofMark)+n)
	if err := readPart(nc, b, 0, len(proofMark)); err != nil {
		return nil, err
	}
	if string(b[:len(proofMark)]) != proofMark {
		return nil, proofError("the other side sent no proof: it has no cluster key")
	}
	if err := readPart(nc, b, len(proofMark), len(b)); err != nil {
		return nil, err
	}
	return b[len(proofMark):], nil
}

func proofError(detail string) error {
	return &FrameError{Err: ErrProof, Offset: PrefaceSize, Of: "stream", Detail: detail}
}
