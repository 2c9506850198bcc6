package client

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/ferrymq/ferrymq/transport"
)

const (
	scheme      = "ferry"
	defaultPort = "7700"
	// maxAddresses bounds the nodes a URL may name.
	maxAddresses = 64
)

// parseURL gives the addresses of ferry://host:port,host:port, without repeats.
func parseURL(raw string) ([]string, error) {
	invalid := func(detail string) error {
		return localError(transport.CodeInvalid, "dial", raw, detail, nil)
	}
	rest, ok := strings.CutPrefix(raw, scheme+"://")
	if !ok {
		return nil, invalid("a URL looks like ferry://host:port,host:port")
	}
	rest = strings.TrimSuffix(rest, "/")
	if strings.ContainsAny(rest, "/?#@") {
		return nil, invalid("only hosts and ports are possible")
	}
	seen := map[string]bool{}
	var addrs []string
	for _, part := range strings.Split(rest, ",") {
		addr, err := parseAddress(strings.TrimSpace(part))
		if err != nil {
			return nil, invalid(err.Error())
		}
		if !seen[addr] {
			seen[addr] = true
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) > maxAddresses {
		return nil, invalid(fmt.Sprintf("%d addresses, at most %d are possible", len(addrs), maxAddresses))
	}
	return addrs, nil
}

func parseAddress(part string) (string, error) {
	u, err := url.Parse(scheme + "://" + part)
	if err != nil {
		return "", fmt.Errorf("address %q: %w", part, err)
	}
	if u.Hostname() == "" {
		return "", fmt.Errorf("address %q has no host", part)
	}
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}
