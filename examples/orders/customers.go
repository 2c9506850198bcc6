package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ferrymq/ferrymq/client"
)

// plan is what all customers will do, drawn from the seed.
type plan struct {
	orders  map[string][]planned // by customer, each in order
	opening map[string]int       // stock
}

// planned is an order that will be placed.
type planned struct {
	at    time.Duration // since the beginning
	order Order
	body  []byte // what is sent: not always an order
}

const (
	customersMax = 40
	// Of 100 orders, so many come in the spike.
	spikePercent = 40
	// One of so many orders is not to be understood, asks for nothing, names
	// what the shop does not sell, or is paid with a stolen card.
	oddEvery = 60
)

// draw plans count orders over length, with a spike in the middle.
func draw(seed uint64, count int, length time.Duration) plan {
	rng := rand.New(rand.NewPCG(seed, 0))
	// Enough of everything but clocks.
	p := plan{orders: map[string][]planned{}, opening: map[string]int{}}
	for _, item := range items {
		p.opening[item] = count * 3
	}
	p.opening["clock"] = count / 3
	spike := spikeAt(length)
	steady := count - count*spikePercent/100
	for i := range count {
		at := length * time.Duration(i) / time.Duration(steady)
		if i >= steady {
			at = spike
		}
		o := drawOrder(rng)
		p.orders[o.Customer] = append(p.orders[o.Customer], planned{at: at, order: o})
	}
	p.number(rng)
	return p
}

func spikeAt(length time.Duration) time.Duration { return length / 2 }

func drawOrder(rng *rand.Rand) Order {
	customer := rng.IntN(customersMax)
	return Order{
		Customer: fmt.Sprintf("customer-%02d", customer), Item: items[rng.IntN(len(items))],
		Quantity: 1 + rng.IntN(3), Card: fmt.Sprintf("card-%02d", customer), Express: customer%8 == 0,
	}
}

// number gives orders their numbers in the order in which they are placed, and
// makes some of them odd.
func (p *plan) number(rng *rand.Rand) {
	id := 0
	for c := range customersMax {
		list := p.orders[fmt.Sprintf("customer-%02d", c)]
		slices.SortStableFunc(list, func(a, b planned) int { return cmp.Compare(a.at, b.at) })
		for i := range list {
			id++
			one := &list[i]
			one.order.ID = id
			odd := rng.IntN(oddEvery)
			switch odd {
			case 1:
				one.order.Quantity = 0
			case 2:
				one.order.Item = "unicorn"
			case 3:
				one.order.Card = stolen + one.order.Card
			}
			one.body = encode(one.order)
			if odd == 0 {
				one.body = one.body[:len(one.body)/2] // cut off on the way
			}
		}
	}
}

// customers place their orders, each customer one after the other.
type customers struct {
	conn  *client.Conn
	plan  plan
	began time.Time

	mu     sync.Mutex
	placed map[int]planned // confirmed
}

// run places all orders, or ends with ctx.
func (c *customers) run(ctx context.Context) error {
	var all sync.WaitGroup
	errs := make(chan error, len(c.plan.orders))
	for _, list := range c.plan.orders {
		all.Go(func() {
			for _, one := range list {
				if err := c.place(ctx, one); err != nil {
					errs <- fmt.Errorf("order %d: %w", one.order.ID, err)
					return
				}
			}
		})
	}
	all.Wait()
	close(errs)
	var err error
	for each := range errs {
		err = errors.Join(err, each)
	}
	return err
}

// place sends an order until the shop confirms it. Where the answer was lost it
// sends it again: the queue knows the order by its number.
func (c *customers) place(ctx context.Context, one planned) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(c.began.Add(one.at))):
	}
	m := message(one.order, nil)
	m.Body, m.DedupID = one.body, "order-"+strconv.Itoa(one.order.ID)
	for {
		_, err := c.conn.Publish(ctx, checkout, m)
		switch {
		case err == nil:
			c.mu.Lock()
			defer c.mu.Unlock()
			c.placed[one.order.ID] = one
			return nil
		case ctx.Err() != nil || !errors.Is(err, client.ErrUnknownOutcome):
			return err
		}
	}
}

// confirmed orders, a copy.
func (c *customers) confirmed() map[int]planned {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.placed)
}
