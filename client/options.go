package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// Bounds and defaults of a Conn.
const (
	defaultRequestTimeout = 30 * time.Second
	defaultHeartbeat      = 2 * time.Second
	defaultInFlight       = 8192
	defaultInFlightBytes  = 32 << 20
	// maxInFlight leaves room for settles among the 16,384 messages and
	// settles that a group keeps results of for one session.
	maxInFlight  = 12000
	minHeartbeat = 50 * time.Millisecond
)

// Bounds of WithSessionExpiry.
const (
	MinSessionExpiry = time.Second
	MaxSessionExpiry = 7 * 24 * time.Hour
)

// Option of Dial.
type Option func(*options)

type options struct {
	name           string
	logger         *slog.Logger
	dialer         func(ctx context.Context, addr string) (net.Conn, error)
	requestTimeout time.Duration
	inFlight       int
	inFlightBytes  int
	stay           bool
	heartbeat      time.Duration
	session        *identity
	sessionExpiry  time.Duration // 0: as the group says
	stateFunc      func(State, error)
	answerFunc     func(Answer)
}

// WithName names the application to the nodes, for people.
func WithName(name string) Option { return func(o *options) { o.name = name } }

// WithLogger logs what happens to the connection; nothing is logged otherwise.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }

// WithDialer replaces the TCP dialer.
func WithDialer(d func(ctx context.Context, addr string) (net.Conn, error)) Option {
	return func(o *options) { o.dialer = d }
}

// WithRequestTimeout bounds a call whose context has no deadline, and every
// asynchronous publish and ack. 30 s by default. What a consumer settles for
// its handler is sent however long that takes, if the lease holds.
func WithRequestTimeout(d time.Duration) Option {
	return func(o *options) { o.requestTimeout = d }
}

// WithMaxInFlight bounds the messages that are published and not yet
// confirmed (8,192 and 32 MiB by default, at most 12,000 messages). A full
// window blocks Publish, PublishBatch, PublishAsync and PublishUnconfirmed.
func WithMaxInFlight(messages, bytes int) Option {
	return func(o *options) { o.inFlight, o.inFlightBytes = messages, bytes }
}

// WithFollowLeader (true by default) lets the connection move to the node
// that leads, and use nodes that the URL does not name. With false it stays
// on the URL's nodes, which forward.
func WithFollowLeader(follow bool) Option { return func(o *options) { o.stay = !follow } }

// WithHeartbeat proposes the interval of pings (2 s by default). A link that
// is silent for three of them is dead.
func WithHeartbeat(d time.Duration) Option { return func(o *options) { o.heartbeat = d } }

// WithSession takes over a session by its id and secret, from another process
// that held it: the other is fenced. If the cluster does not know the session,
// it is opened. Such a session outlives Close.
func WithSession(id, secret [16]byte) Option {
	return func(o *options) { o.session = &identity{id: id, secret: secret} }
}

// WithSessionExpiry is how long the cluster keeps a session that this connection
// opens when no connection holds it any more: 1 s to 7 days, in milliseconds, an
// hour by default. Time without a leader does not count. When it is over, what was
// not answered has an unknown outcome, since asking again finds no session; its
// consumers are gone, and so are the subscriptions that are bound to it. Until then
// those of a process that crashed stay, and fill, and nobody else can make them. A
// session that WithSession takes over keeps its own.
func WithSessionExpiry(d time.Duration) Option {
	return func(o *options) { o.sessionExpiry = d }
}

// WithStateFunc is told of every change of state and, if there is one, its
// reason. It runs on the goroutine that runs the connection: it must not
// block nor call the Conn.
func WithStateFunc(f func(State, error)) Option { return func(o *options) { o.stateFunc = f } }

func (o *options) fillDefaults() {
	if o.logger == nil {
		o.logger = slog.New(slog.DiscardHandler)
	}
	if o.dialer == nil {
		var d net.Dialer
		o.dialer = func(ctx context.Context, addr string) (net.Conn, error) {
			return d.DialContext(ctx, "tcp", addr)
		}
	}
	if o.requestTimeout == 0 {
		o.requestTimeout = defaultRequestTimeout
	}
	if o.heartbeat == 0 {
		o.heartbeat = defaultHeartbeat
	}
	if o.inFlight == 0 {
		o.inFlight = defaultInFlight
	}
	if o.inFlightBytes == 0 {
		o.inFlightBytes = defaultInFlightBytes
	}
	if o.stateFunc == nil {
		o.stateFunc = func(State, error) {}
	}
}

func (o *options) validate() error {
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(o.requestTimeout > 0, "request timeout %v is not positive", o.requestTimeout)
	bad(o.heartbeat >= minHeartbeat, "heartbeat %v is below %v", o.heartbeat, minHeartbeat)
	bad(o.inFlight > 0 && o.inFlight <= maxInFlight,
		"%d messages in flight: 1 to %d are possible", o.inFlight, maxInFlight)
	bad(o.inFlightBytes > 0, "%d bytes in flight are not positive", o.inFlightBytes)
	bad(o.sessionExpiry == 0 || o.sessionExpiry >= MinSessionExpiry && o.sessionExpiry <= MaxSessionExpiry,
		"session expiry %v is not within %v and %v", o.sessionExpiry, MinSessionExpiry, MaxSessionExpiry)
	return errors.Join(errs...)
}
