package explain_test

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// TestPartsOfALaterVersion: a recording that the exporter hasn't read yet, since it is stopped, isn't in the counter.
func TestPartsOfALaterVersion(t *testing.T) {
	recorded := func(version int64, ids ...string) cdrtest.Option {
		return func(r *cdr.Record) {
			r.Version = version
			for _, id := range ids {
				r.Recordings = append(r.Recordings, cdr.Recording{ID: id, Type: "automatic"})
			}
		}
	}
	from, to := cdrtest.Epoch.Add(-2*time.Hour), cdrtest.Epoch.Add(time.Minute)
	b := newBench(t, counting.Rules{})
	b.count(cdrtest.Call("z", cdrtest.Start(cdrtest.Epoch.Add(-5*time.Hour))))
	b.count(cdrtest.Call("a", recorded(1)))
	b.listed["a"] = cdrtest.Call("a", recorded(2, "r"))
	if got := textOf(b.explain("cdr_recordings_total", from, to)); got != "1 false revised 1" {
		t.Errorf("before it is read: got %q", got)
	}
	b.count(b.listed["a"])
	if got := textOf(b.explain("cdr_recordings_total", from, to)); got != "1 true" {
		t.Errorf("once it is read: got %q", got)
	}
}

// TestStreamsThatSettle: streams of a call record count once it has settled, with the version that it has then.
func TestStreamsThatSettle(t *testing.T) {
	streams := func(n int, settled bool) cdrtest.Option {
		return func(r *cdr.Record) {
			r.Settled, r.Version = settled, int64(n+1)
			for range n {
				r.Streams = append(r.Streams, cdr.Stream{Media: "audio", Network: "wired", Platform: "windows"})
			}
		}
	}
	from, to := cdrtest.Epoch.Add(-2*time.Hour), cdrtest.Epoch.Add(time.Minute)
	for _, c := range []struct {
		name    string
		prepare func(b *bench)
		want    string
	}{
		{"it has settled", func(b *bench) {
			b.count(cdrtest.Call("a", streams(0, false)))
			b.count(cdrtest.Call("a", streams(2, true)))
		}, "2 true"},
		{"the exporter stopped before it settled", func(b *bench) {
			b.count(cdrtest.Call("a", streams(0, false)))
			b.close()
			b.open()
			b.listed["a"] = cdrtest.Call("a", streams(2, true))
		}, "0 true aren't final 2"},
		{"a client reports after it has settled", func(b *bench) {
			b.count(cdrtest.Call("a", streams(2, true)))
			b.count(cdrtest.Call("a", streams(4, true)))
		}, "4 false revised 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, counting.Rules{StartMoves: true, PartsSettle: true, TaskVersions: true})
			b.count(cdrtest.Call("z", cdrtest.Start(cdrtest.Epoch.Add(-5*time.Hour)), streams(1, true)))
			c.prepare(b)
			got := textOf(b.explain("cdr_media_streams_total", from, to))
			var counted int64
			for i := range b.all {
				if d := &b.all[i]; d.delta.Def.Name == "cdr_media_streams_total" && !d.start.Before(from) {
					counted += d.delta.N
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q; %d are counted", got, c.want, counted)
			}
		})
	}
}
