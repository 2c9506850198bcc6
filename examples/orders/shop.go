package main

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/ferrymq/ferrymq/client"
)

// Order is what a customer wants: the body of most messages.
type Order struct {
	ID       int    `json:"id"` // 1 and up; a customer's rise
	Customer string `json:"customer"`
	Item     string `json:"item"`
	Quantity int    `json:"quantity"`
	Card     string `json:"card"`
	Express  bool   `json:"express,omitempty"`

	Cents  int64  `json:"cents,omitempty"`  // what it costs in all, once that is known
	Charge string `json:"charge,omitempty"` // the key of the payment, once it was made
}

// Entry is one line of the ledger: what was done to an order. It is published
// in the same step that does it, so the ledger says neither more nor less.
type Entry struct {
	Kind     string `json:"kind"`
	Failures int    `json:"failures,omitempty"` // before it was done
	Order
}

// Kinds of entries, in the order of an order's life.
const (
	created  = "created"
	paid     = "paid"
	reserved = "reserved"
	shipped  = "shipped"
	refunded = "refunded" // in place of reserved and shipped
)

// Card is a stock card: the one message in an item's stock queue. Whoever holds
// it may change the stock, and does so by publishing the next one.
type Card struct {
	Item string `json:"item"`
	Left int    `json:"left"`
}

// message is the card as a message.
func (c Card) message() client.Message { return client.Message{Body: encode(c)} }

// prices of what the shop sells, in cents a piece. Only the pricing service
// looks at them, and the audit.
var prices = map[string]int64{"chair": 49_00, "table": 199_00, "lamp": 35_00, "rug": 89_00, "clock": 149_00}

// items in a fixed order.
var items = []string{"chair", "table", "lamp", "rug", "clock"}

// message has an order's messages carry its number and stay in the order of the
// customer's orders, wherever they go.
func message(o Order, body any) client.Message {
	m := client.Message{
		Body: encode(body), ContentType: "application/json", CorrelationID: strconv.Itoa(o.ID), GroupKey: o.Customer,
	}
	if o.Express {
		m.Priority = client.Priority(8)
	}
	return m
}

// entry is a message for the ledger: what was done because of a delivery. It is in
// no group: the ledger's order is that of the log.
func entry(kind string, o Order, d *client.Delivery) client.Message {
	m := message(o, Entry{Kind: kind, Failures: d.Failures, Order: o})
	m.GroupKey, m.Priority = "", nil
	return m
}

// event is a message for the topic.
func event(subject string, o Order) client.Message {
	m := message(o, o)
	m.Subject = subject
	return m
}

// encode gives the JSON of what has one: structs of texts and numbers.
func encode(body any) []byte {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return text
}

// read decodes a message's body.
func read[T any](m client.Message) (v T, err error) {
	if err := json.Unmarshal(m.Body, &v); err != nil {
		return v, fmt.Errorf("not understood: %w", err)
	}
	return v, nil
}
