package attack

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// Numbers of the protocol that the attacks use, written down once more here.
const (
	prefaceSize = 32
	headerSize  = 16

	opHello   = 1
	opHelloOK = 2
	opPublish = 16
	opError   = 65

	codeTooLarge    = 12
	codeUnsupported = 14
	codeMalformed   = 259
	codeVersion     = 260
	codeHandshake   = 261

	// answerMax bounds what an answer may claim; the largest frame is 2 MiB.
	answerMax = 2 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrRefused holds what the server said in an Error frame.
type ErrRefused struct {
	Code    uint16
	Message string
}

func (e *ErrRefused) Error() string {
	return fmt.Sprintf("refused with code %d: %s", e.Code, e.Message)
}

// raw is a connection on which any bytes can be sent.
type raw struct{ net.Conn }

func dial(ctx context.Context, addr string) (*raw, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		err = c.SetDeadline(deadline)
	}
	return &raw{c}, err
}

// preface builds a client's preface; cluster is the first byte of its cluster id.
func preface(version byte, cluster byte) []byte {
	b := append([]byte("FERRY\x00"), version, 1, cluster)
	b = append(b, make([]byte, 28-len(b))...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// frame builds a frame; claim overrides its length when it is not negative.
func frame(op uint16, stream uint32, payload []byte, claim int64) []byte {
	length := uint32(len(payload))
	if claim >= 0 {
		length = uint32(claim)
	}
	h := binary.BigEndian.AppendUint32(nil, length)
	h = binary.BigEndian.AppendUint16(h, op)
	h = binary.BigEndian.AppendUint16(h, 0)
	h = binary.BigEndian.AppendUint32(h, stream)
	sum := crc32.Update(crc32.Checksum(h, castagnoli), castagnoli, payload)
	return append(binary.BigEndian.AppendUint32(h, sum), payload...)
}

// hello is a Hello's payload with the fields that attacks vary.
type hello struct {
	versionMin, versionMax uint16
	heartbeatMs            uint32
	tls                    bool
	auth, compression      string
}

func (h hello) payload() []byte {
	b, err := msgpack.Marshal([]any{h.versionMin, h.versionMax, "attack", "attack", uint32(answerMax),
		h.heartbeatMs, h.tls, h.auth, []byte{}, h.compression})
	if err != nil {
		panic(err) // these values always have a msgpack form
	}
	return b
}

// greet opens a connection as a well-behaved client does.
func greet(ctx context.Context, addr string, heartbeat time.Duration) (*raw, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	h := hello{versionMin: 1, versionMax: 1, heartbeatMs: uint32(heartbeat.Milliseconds())}
	if err := c.send(preface(1, 0), frame(opHello, 0, h.payload(), -1)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	op, _, err := c.receive()
	if err == nil && op != opHelloOK {
		err = fmt.Errorf("a Hello was answered with op %d", op)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *raw) send(parts ...[]byte) error {
	for _, p := range parts {
		if _, err := c.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// receive reads one frame and checks it.
func (c *raw) receive() (op uint16, payload []byte, err error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(c, h[:]); err != nil {
		return 0, nil, err
	}
	length := binary.BigEndian.Uint32(h[:])
	if length > answerMax {
		return 0, nil, fmt.Errorf("an answer claims %d bytes", length)
	}
	payload = make([]byte, length)
	if _, err := io.ReadFull(c, payload); err != nil {
		return 0, nil, err
	}
	sum := crc32.Update(crc32.Checksum(h[:12], castagnoli), castagnoli, payload)
	if sum != binary.BigEndian.Uint32(h[12:]) {
		return 0, nil, errors.New("an answer has a wrong checksum")
	}
	return binary.BigEndian.Uint16(h[4:]), payload, nil
}

// ending reads until the server ends the connection. It tells the Error frame
// that came before, if one did; nil means that it was just closed. A
// connection that is still open when the context ends is a failure.
func (c *raw) ending() (*ErrRefused, error) {
	var refused *ErrRefused
	for {
		op, payload, err := c.receive()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return refused, errors.New("the connection is still open at the deadline")
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
			return refused, nil
		case err != nil:
			return refused, err
		case op == opError:
			if refused, err = parseError(payload); err != nil {
				return nil, err
			}
		}
	}
}

func parseError(payload []byte) (*ErrRefused, error) {
	var fields []any
	if err := msgpack.Unmarshal(payload, &fields); err != nil {
		return nil, fmt.Errorf("an Error frame cannot be read: %w", err)
	}
	if len(fields) < 2 {
		return nil, fmt.Errorf("an Error frame has %d fields", len(fields))
	}
	message, ok := fields[1].(string)
	if !ok {
		return nil, fmt.Errorf("the message of an Error frame is a %T", fields[1])
	}
	e := &ErrRefused{Message: message}
	switch code := fields[0].(type) {
	case int8:
		e.Code = uint16(code)
	case uint8:
		e.Code = uint16(code)
	case uint16:
		e.Code = code
	case int64:
		e.Code = uint16(code)
	case uint64:
		e.Code = uint16(code)
	default:
		return nil, fmt.Errorf("the code of an Error frame is a %T", code)
	}
	return e, nil
}
