package wire

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// tcpFrame is a packet as a kernel hands it over: its checksum is the sum of
// the pseudo-header so far.
func tcpFrame(payload string) frame {
	f := make(frame, frameHeaderBytes+ipv4Bytes+tcpBytes, frameBytesMax)
	f = append(f, payload...)
	f[0], f[6], f[8] = flagNeedsChecksum, ipv4Bytes, 16
	p := f.packet()
	p[0], p[9] = 0x45, protocolTCP
	copy(p[12:], []byte{10, 77, 0, 1, 10, 77, 0, 2})
	s := f.segment()
	s[12], s[13] = tcpBytes/4<<4, tcpACK
	sum := checksum(p[12:20], uint32(protocolTCP+len(s)))
	s[16], s[17] = byte(sum>>8), byte(sum)
	return f
}

func sound(f frame) bool {
	pseudo := uint32(checksum(f.packet()[12:20], uint32(protocolTCP+len(f.segment()))))
	return checksum(f.segment(), pseudo) == 0xffff
}

func TestFinishCompletesTheChecksum(t *testing.T) {
	for _, payload := range []string{"", "odd", "even"} {
		f := tcpFrame(payload)
		require.False(t, sound(f))
		f.finish()
		require.True(t, sound(f))
		require.Equal(t, make(frame, frameHeaderBytes), f[:frameHeaderBytes])
	}
}

// However the bit falls: a corrupted packet is found, a mangled one is not.
func TestDamageIsFoundOrNot(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2_000 {
		f := tcpFrame("payload")
		require.True(t, f.corrupt(r.Uint64()))
		require.False(t, sound(f))

		f = tcpFrame("payload")
		require.True(t, f.mangle(r.Uint64()))
		require.NotEqual(t, "payload", string(f.payload()))
		f.finish()
		require.True(t, sound(f))
	}
	require.False(t, tcpFrame("").mangle(1), "there is nothing to mangle")
}

func TestAResetFitsItsPacket(t *testing.T) {
	f := tcpFrame("abc")
	s := f.segment()
	copy(s, []byte{1, 2, 3, 4 /* ports */, 0, 0, 0, 9 /* seq */, 0, 0, 0, 5 /* ack */})
	answer := f.reset()
	require.True(t, answer.ipv4())
	require.True(t, sound(answer))
	require.EqualValues(t, 0xffff, checksum(answer.packet()[:ipv4Bytes], 0))
	require.EqualValues(t, 1, answer.to())
	require.Equal(t, []byte{3, 4, 1, 2, 0, 0, 0, 5, 0, 0, 0, 0}, []byte(answer.segment()[:12]))
	require.EqualValues(t, tcpRST, answer.segment()[13])
	require.Nil(t, answer.reset(), "a reset is not answered")

	s[13] = tcpSYN
	answer = f.reset()
	require.Equal(t, []byte{0, 0, 0, 0, 0, 0, 0, 13}, []byte(answer.segment()[4:12]), "9, SYN and abc")
	require.EqualValues(t, tcpRST|tcpACK, answer.segment()[13])
	require.True(t, sound(answer))
}

// Whatever a device gives must not end the switch.
func FuzzFrame(f *testing.F) {
	f.Add([]byte(tcpFrame("seed")), uint64(0))
	short := tcpFrame("")
	short.packet()[0] = 0x4f
	f.Add([]byte(short), uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, random uint64) {
		g := frame(slices.Clone(b))
		if !g.ipv4() {
			return
		}
		g.to()
		g.payload()
		g.reset()
		g.mangle(random)
		g.corrupt(random)
		require.Len(t, g, len(b))
	})
}

func newLink(seed uint64) *link { return &link{random: rand.New(rand.NewPCG(seed, 0))} }

// fates judges packets, one each millisecond, and says what became of each.
func fates(l *link, r Rule, n int) []fate {
	now := time.Unix(1, 0)
	all := make([]fate, n)
	for i := range all {
		all[i] = l.judge(&r, tcpFrame("payload"), now.Add(time.Duration(i)*time.Millisecond))
	}
	return all
}

func TestASeedGivesTheSameFates(t *testing.T) {
	r := Rule{
		Loss: 0.1, Duplicate: 0.1, Corrupt: 0.1, Mangle: 0.1, Reorder: 0.1,
		Delay: 10 * time.Millisecond, Jitter: 5 * time.Millisecond,
	}
	a, b, c := newLink(1), newLink(1), newLink(2)
	require.Equal(t, fates(a, r, 1_000), fates(b, r, 1_000))
	require.Equal(t, a.count.read(), b.count.read())
	require.NotEqual(t, fates(a, r, 1_000), fates(c, r, 1_000))

	// One fault does not move where another strikes.
	lossy, more := newLink(1), newLink(1)
	x, y := fates(lossy, Rule{Loss: 0.1}, 1_000), fates(more, Rule{Loss: 0.1, Duplicate: 0.5, Corrupt: 0.5}, 1_000)
	for i := range x {
		require.Equal(t, x[i].drop, y[i].drop)
	}
}

func TestProbabilitiesAreKept(t *testing.T) {
	const n = 20_000
	l := newLink(3)
	fates(l, Rule{Loss: 0.25, Duplicate: 0.1, Corrupt: 0.2, Mangle: 0.1, Reorder: 0.05}, n)
	c := l.count.read()
	const rest = n * 0.75
	require.InEpsilon(t, n*0.25, c.Lost, 0.05)
	require.InEpsilon(t, rest*0.1, c.Duplicated, 0.1)
	require.InEpsilon(t, rest*0.2, c.Corrupted, 0.1)
	require.InEpsilon(t, rest*0.8*0.1, c.Mangled, 0.1)
	require.InEpsilon(t, rest*0.05, c.Reordered, 0.15)

	l = newLink(3)
	for _, d := range fates(l, Rule{Loss: 1}, 100) {
		require.True(t, d.drop)
	}
	for _, d := range fates(l, Rule{}, 100) {
		require.Equal(t, fate{copies: 1}, d)
	}
}

func TestJitterKeepsTheOrderAndReorderDoesNot(t *testing.T) {
	l := newLink(4)
	jitter := Rule{Delay: 10 * time.Millisecond, Jitter: 10 * time.Millisecond}
	last := time.Time{}
	spread := map[time.Duration]bool{}
	for i, d := range fates(l, jitter, 1_000) {
		at := d.at
		if at.IsZero() {
			continue // no delay at all
		}
		require.False(t, at.Before(last))
		last = at
		spread[at.Sub(time.Unix(1, 0).Add(time.Duration(i)*time.Millisecond))] = true
	}
	require.Greater(t, len(spread), 100)

	overtaken := 0
	last = time.Time{}
	for i, d := range fates(newLink(4), Rule{Reorder: 0.1}, 1_000) {
		at := d.at
		if at.IsZero() {
			at = time.Unix(1, 0).Add(time.Duration(i) * time.Millisecond)
		}
		if at.Before(last) {
			overtaken++
		}
		last = at
	}
	require.Greater(t, overtaken, 50)
}

func TestARateSpacesPacketsAndDropsWhatWaitsTooLong(t *testing.T) {
	l := newLink(5)
	size := int64(len(tcpFrame("payload")))
	r := Rule{Rate: 100 * size} // one packet in 10 ms, and one comes each
	all := fates(l, r, 3_000)
	begin := time.Unix(1, 0)
	require.Equal(t, begin.Add(10*time.Millisecond), all[0].at)
	require.Equal(t, begin.Add(20*time.Millisecond), all[1].at)
	c := l.count.read()
	require.Positive(t, c.Limited)
	require.InDelta(t, 3_000-300-100, c.Overflowed, 10, "3 s of packets, and 1 s of waiting")
}

// Letters arrive when they are due, in order; a link holds so much and no more.
func TestLateArrivesOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		var when []time.Duration
		began := time.Now()
		l := newLate(func(m letter) {
			got = append(got, string(m.frame))
			when = append(when, time.Since(began))
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.run(ctx)
		}()
		k := newLink(6)
		for _, m := range []struct {
			text string
			ms   int
		}{{"c", 30}, {"a", 10}, {"b", 20}, {"b2", 20}, {"z", 99_000}} {
			require.True(t, l.add(k, 2, frame(m.text), began.Add(time.Duration(m.ms)*time.Millisecond)))
		}
		require.False(t, l.add(k, 2, make(frame, waitingBytesMax), began))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"a", "b", "b2", "c"}, got)
		require.Equal(t, []time.Duration{10e6, 20e6, 20e6, 30e6}, when)
		require.EqualValues(t, 1, k.waiting.Load())
		cancel()
		<-done
	})
}
