package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// outside is the address of the world outside, as the services see it: providers
// that are called over HTTP. world.go is the other side.
type outside string

var (
	errDeclined = errors.New("card declined")
	errDown     = errors.New("the provider is down")
)

// call is what a provider is asked for. A provider does what it is asked once
// for each key, and answers the same to each call with it.
type call struct {
	Key     string `json:"key"`
	Subject string `json:"subject,omitempty"`
	Order   Order  `json:"order"`
}

func (o outside) charge(ctx context.Context, key string, order Order) error {
	return o.post(ctx, "charge", call{Key: key, Order: order})
}

func (o outside) refund(ctx context.Context, key string, order Order) error {
	return o.post(ctx, "refund", call{Key: key, Order: order})
}

func (o outside) mail(ctx context.Context, key, subject string, order Order) error {
	return o.post(ctx, "mail", call{Key: key, Subject: subject, Order: order})
}

func (o outside) push(ctx context.Context, key, subject string, order Order) error {
	return o.post(ctx, "push", call{Key: key, Subject: subject, Order: order})
}

func (o outside) post(ctx context.Context, what string, c call) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, string(o)+"/"+what, bytes.NewReader(encode(c)))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body) // to the end, so that the connection is used again
	err = errors.Join(err, answer.Body.Close())
	switch {
	case err != nil:
		return err
	case answer.StatusCode == http.StatusPaymentRequired:
		return errDeclined
	case answer.StatusCode == http.StatusServiceUnavailable:
		return errDown
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %s", what, answer.Status)
	}
	return nil
}
