package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ferrymq/ferrymq/cmd/ferry/internal/config"
)

const healthAnswerMax = 4 << 10

// health asks a node whether it is ready. It needs no shell, so a container
// without one can be watched with it.
func (a *app) health() *cobra.Command {
	c := &cobra.Command{
		Use:   "health",
		Short: "Ask a node whether it is ready",
		Long:  "Ask a node whether it is ready: exit code 0 if it is, 1 if it is not.",
	}
	addr := c.Flags().String("http", a.env("FERRY_HTTP", config.Default().HTTP), "the node's HTTP address (FERRY_HTTP)")
	timeout := c.Flags().Duration("timeout", defaultTimeout/2, "bound of the request")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if *timeout <= 0 {
			return usagef("--timeout: %v is not above 0", *timeout)
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), *timeout)
		defer cancel()
		url, err := readyURL(*addr)
		if err != nil {
			return err
		}
		answer, err := askReady(ctx, url)
		if err != nil {
			// Not wrapped: health ends with 0 or 1, whatever the reason.
			return errors.New(err.Error())
		}
		_, err = fmt.Fprintln(a.Out, answer)
		return err
	}
	return c
}

// readyURL is where a server that listens on addr answers.
func readyURL(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", usagef("--http: %q is no host:port", addr)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/readyz", nil
}

func askReady(ctx context.Context, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, healthAnswerMax))
	if e := response.Body.Close(); err == nil {
		err = e
	}
	answer := strings.TrimSpace(string(body))
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(answer)
	}
	return answer, err
}
