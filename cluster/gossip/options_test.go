package gossip

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOptionsNameEveryMistake(t *testing.T) {
	err := Options{
		BindAddr: "nowhere", AdvertiseAddr: "x", Join: []string{"y"}, Key: []byte("short"),
		Meta: make([]byte, MetaBytesMax+1), ProbeInterval: 1,
	}.Validate()
	for _, field := range []string{"NodeID", "BindAddr", "AdvertiseAddr", "Join", "Key", "ProbeInterval"} {
		require.ErrorContains(t, err, field)
	}
	require.ErrorIs(t, err, ErrMetaTooLong)
}

func TestKeyIsRequiredOutsideLoopback(t *testing.T) {
	for bind, needed := range map[string]bool{
		"127.0.0.1:1": false, "[::1]:1": false, "localhost:1": false, "127.8.0.1:0": false,
		"0.0.0.0:1": true, ":1": true, "[::]:1": true, "10.0.0.1:1": true,
	} {
		o := Options{NodeID: "a", BindAddr: bind}
		if !needed {
			require.NoError(t, o.Validate(), bind)
			continue
		}
		require.ErrorIs(t, o.Validate(), ErrKeyRequired, bind)
		o.AllowUnencrypted = true
		require.NoError(t, o.Validate(), bind)
		o.AllowUnencrypted, o.Key = false, make([]byte, KeyBytes)
		require.NoError(t, o.Validate(), bind)
	}
}

func TestSettings(t *testing.T) {
	o := Options{NodeID: "a", BindAddr: "127.0.0.1:7", AdvertiseAddr: "127.0.0.2:8"}.withDefaults()
	c, err := o.config()
	require.NoError(t, err)
	require.Equal(t, 6, c.SuspicionMult)
	require.Equal(t, probeTimeout, c.ProbeTimeout)
	require.Greater(t, c.ProbeInterval, c.ProbeTimeout)
	require.Equal(t, "127.0.0.2", c.AdvertiseAddr)
	require.Equal(t, 8, c.AdvertisePort)
}

func TestLinesKeepTheirLevel(t *testing.T) {
	var buf bytes.Buffer
	l := bridge(slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug})))
	l.Printf("[ERR] memberlist: one")
	l.Printf("[WARN] memberlist: two")
	l.Printf("[DEBUG] three")
	l.Printf("[odd] four")
	for _, want := range []string{"level=ERROR msg=one", "level=WARN msg=two", "level=DEBUG msg=three", "level=INFO msg=\"[odd] four\""} {
		require.Contains(t, buf.String(), want)
	}
}
