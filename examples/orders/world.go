package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// world is everything outside of the shop: a payment provider, an e-mail provider
// and phones. It outlives the services, as it would in earnest, and remembers what
// it was asked for: the audit compares that with the ledger.
type world struct {
	server *http.Server
	url    string
	served chan error

	mu      sync.Mutex
	mailOff bool
	done    map[string]map[string]call // by what was asked for, and key
	books   effects
}

// effects are what the world did, and how often it was asked.
type effects struct {
	charges, refunds, mails, pushes map[string]call // once for each key
	repeats                         map[string]int  // calls with a key that was known, by what was asked for
	changed                         []string        // keys that came again with something else
	refusals                        int             // calls during the outage
}

// stolen is how the numbers of cards begin that are declined.
const stolen = "stolen-"

// chargeTime is how long the answer takes once a card is charged, as it would in
// earnest: a service that is killed meanwhile does not know.
const chargeTime = 50 * time.Millisecond

// openWorld listens on loopback.
func openWorld() (*world, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &world{
		url: "http://" + listener.Addr().String(), served: make(chan error, 1),
		books: effects{
			charges: map[string]call{}, refunds: map[string]call{}, mails: map[string]call{}, pushes: map[string]call{},
			repeats: map[string]int{},
		},
	}
	w.done = map[string]map[string]call{
		"charge": w.books.charges, "refund": w.books.refunds, "mail": w.books.mails, "push": w.books.pushes,
	}
	w.server = &http.Server{Handler: http.HandlerFunc(w.answer), ReadHeaderTimeout: time.Second}
	go func() { w.served <- w.server.Serve(listener) }()
	return w, nil
}

// close ends it, and tells why it ended before if it did.
func (w *world) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := w.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = w.server.Close()
	}
	if served := <-w.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func (w *world) answer(out http.ResponseWriter, r *http.Request) {
	var c call
	what := strings.TrimPrefix(r.URL.Path, "/")
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil || c.Key == "" || w.done[what] == nil {
		http.Error(out, "not understood", http.StatusBadRequest)
		return
	}
	status := w.do(what, c)
	if what == "charge" {
		time.Sleep(chargeTime)
	}
	out.WriteHeader(status)
}

// do does what it is asked for, once for each key.
func (w *world) do(what string, c call) (status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case what == "mail" && w.mailOff:
		w.books.refusals++
		return http.StatusServiceUnavailable
	case what == "charge" && strings.HasPrefix(c.Order.Card, stolen):
		return http.StatusPaymentRequired
	}
	known, ok := w.done[what][c.Key]
	switch {
	case !ok:
		w.done[what][c.Key] = c
	case known != c:
		w.books.changed = append(w.books.changed, what+" "+c.Key)
	default:
		w.books.repeats[what]++
	}
	return http.StatusOK
}

// breakMail begins or ends the outage of the e-mail provider.
func (w *world) breakMail(off bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mailOff = off
}

// effects gives a copy of the books.
func (w *world) effects() effects {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.books
	b.charges, b.refunds, b.mails, b.pushes = maps.Clone(b.charges), maps.Clone(b.refunds), maps.Clone(b.mails), maps.Clone(b.pushes)
	b.repeats = maps.Clone(b.repeats)
	return b
}
