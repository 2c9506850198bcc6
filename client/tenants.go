package client

import (
	"context"
	"iter"

	"github.com/ferrymq/ferrymq/transport"
)

// TenantInfo describes a tenant of a fair queue.
type TenantInfo struct {
	Name   string // "" for the messages without a tenant
	Weight int    // messages that it gets in its turn
}

// Tenants lists the tenants of a queue whose weight is above 1, in order of
// name. The error is the last pair.
func (c *Conn) Tenants(ctx context.Context, queue string, opts ...ReadOption) iter.Seq2[TenantInfo, error] {
	if err := checkQueue("list tenants", queue); err != nil {
		return func(yield func(TenantInfo, error) bool) { yield(TenantInfo{}, err) }
	}
	q := transport.Query{Kind: transport.QueryTenants, Name: queue}
	return paged(q, func(q transport.Query) ([]transport.TenantInfo, bool, error) {
		var list transport.TenantList
		err := c.query(ctx, "list tenants", q, &list, opts)
		return list.Tenants, list.More, err
	}, func(t transport.TenantInfo) (TenantInfo, string) { return TenantInfo{t.Name, int(t.Weight)}, t.Name })
}
