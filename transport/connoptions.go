package transport

import (
	"errors"
	"fmt"
	"time"
)

// ConnOptions of a Conn. Zero means the default.
type ConnOptions struct {
	// OutboxMax is how many bytes may wait to be written before Send blocks;
	// the last frame taken may go beyond it. Default 4 MiB.
	OutboxMax int
	// FrameMax is the largest payload read. Default FrameMax. A server begins
	// with HelloFrameMax and calls SetFrameMax.
	FrameMax uint32
	// ReadBuffer is the size of the read buffer. Default 32 KiB.
	ReadBuffer int
	// WriteTimeout is how long one write of at most about 256 KiB may take
	// before the connection counts as dead. Default 30 s.
	WriteTimeout time.Duration
}

func (o ConnOptions) withDefaults() ConnOptions {
	if o.OutboxMax == 0 {
		o.OutboxMax = 4 << 20
	}
	if o.FrameMax == 0 {
		o.FrameMax = FrameMax
	}
	if o.ReadBuffer == 0 {
		o.ReadBuffer = 32 << 10
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 30 * time.Second
	}
	return o
}

// Validate returns every mistake.
func (o ConnOptions) Validate() error {
	var errs []error
	if o.OutboxMax < 0 {
		errs = append(errs, fmt.Errorf("transport: OutboxMax %d is negative", o.OutboxMax))
	}
	if o.ReadBuffer < 0 {
		errs = append(errs, fmt.Errorf("transport: ReadBuffer %d is negative", o.ReadBuffer))
	}
	if o.WriteTimeout < 0 {
		errs = append(errs, fmt.Errorf("transport: WriteTimeout %v is negative", o.WriteTimeout))
	}
	return errors.Join(errs...)
}
