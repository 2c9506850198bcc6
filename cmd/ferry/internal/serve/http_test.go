package serve

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/stretchr/testify/require"
)

func TestHTTP(t *testing.T) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector())
	notReady := errors.New("no leader is known")
	var why error
	h, err := startHTTP("127.0.0.1:0", reg, func() error { return why }, false, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	get := func(path string) (int, string) {
		t.Helper()
		r, err := http.Get("http://" + h.addr.String() + path)
		require.NoError(t, err)
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		return r.StatusCode, string(body)
	}
	status, body := get("/livez")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "live\n", body)

	status, _ = get("/readyz")
	require.Equal(t, http.StatusOK, status)
	why = notReady
	status, body = get("/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, "not ready: no leader is known\n", body)

	_, body = get("/metrics")
	require.Contains(t, body, "go_goroutines")
	status, _ = get("/debug/pprof/")
	require.Equal(t, http.StatusNotFound, status, "only with --pprof")
	http.DefaultClient.CloseIdleConnections()
	require.NoError(t, h.stop())
}
