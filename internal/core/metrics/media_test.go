package metrics

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// shown are the series of a store by metric and own labels; histograms as count, sum and
// the classic bucket of a single observation.
func shown(s *Store) map[string]string {
	all := make(map[string]string)
	for _, family := range s.Snapshot().Families {
		for _, p := range family.Points {
			key := family.Def.Name + "{" + strings.Join(p.Labels.Values[3:], ",") + "}"
			if p.Hist == nil {
				all[key] = fmt.Sprint(p.Value)
				continue
			}
			all[key] = fmt.Sprint(p.Hist.Count, " ", family.Def.InUnit(p.Hist.Sum))
		}
	}
	return all
}

// audioStream is a stream with every measure.
func audioStream() cdr.Stream {
	return cdr.Stream{
		Media: "audio", Network: "wifi", Platform: "windows",
		Quality: cdr.Quality{
			Jitter: cdr.KnownLength(16 * time.Millisecond), RoundTrip: cdr.KnownLength(62500 * time.Microsecond),
			Loss: cdr.KnownFloat(0.013), Concealed: cdr.KnownFloat(0.1), Packets: cdr.KnownInt(1000),
			MOS: cdr.KnownFloat(4.25),
		},
	}
}

// Contract 3: what counts when a record has settled.
func TestSettle(t *testing.T) {
	const own = "audio,callee_to_caller,wifi"
	measured := func(labels string) map[string]string {
		return map[string]string{
			"cdr_media_streams_total{" + own + ",windows,good" + labels + "}": "1",
			"cdr_media_jitter_seconds{" + own + labels + "}":                  "1 0.016",
			"cdr_media_round_trip_seconds{" + own + labels + "}":              "1 0.0625",
			"cdr_media_packet_loss_ratio{" + own + labels + "}":               "1 0.013",
			"cdr_media_concealed_ratio{" + own + labels + "}":                 "1 0.1",
			"cdr_media_mos{" + own + labels + "}":                             "1 4.25",
		}
	}
	for _, c := range []struct {
		name   string
		change func(*cdr.Record)
		want   map[string]string
	}{
		{"a stream", func(c *cdr.Record) { c.Streams = []cdr.Stream{audioStream()} }, measured("")},
		{"a stream of a building", func(c *cdr.Record) {
			c.Streams = []cdr.Stream{audioStream()}
			c.Streams[0].Labels = "building=Annex\n"
		}, measured(",building=Annex\n")},
		{"one of which nothing was measured", func(c *cdr.Record) {
			c.Streams = []cdr.Stream{{Media: "video", ToCallee: true, Network: "unknown"}}
		}, map[string]string{"cdr_media_streams_total{video,caller_to_callee,unknown,,unclassified}": "1"}},
		{"a score that can't be, from nobody knows whom", func(c *cdr.Record) {
			c.Streams = []cdr.Stream{{Media: "audio", NoSender: true, Quality: cdr.Quality{MOS: cdr.KnownFloat(0.5)}}}
		}, map[string]string{"cdr_media_streams_total{audio,unknown,,,unclassified}": "1"}},
		{"measures that are zero", func(c *cdr.Record) {
			c.Streams = []cdr.Stream{{
				Media: "audio", Network: "wifi",
				Quality: cdr.Quality{Jitter: cdr.KnownLength(0), Loss: cdr.KnownFloat(0)},
			}}
		}, map[string]string{
			"cdr_media_streams_total{" + own + ",,good}": "1",
			"cdr_media_jitter_seconds{" + own + "}":      "1 0",
			"cdr_media_packet_loss_ratio{" + own + "}":   "1 0",
		}},
		{"measures that are none", func(c *cdr.Record) {
			s := cdr.Stream{Media: "data", Network: "wifi"}
			s.Jitter, s.Loss, s.Concealed = cdr.KnownLength(-1), cdr.KnownFloat(math.NaN()), cdr.KnownFloat(1.5)
			c.Streams = []cdr.Stream{s}
		}, map[string]string{"cdr_media_streams_total{data,callee_to_caller,wifi,,unclassified}": "1"}},
		{"ratings", func(c *cdr.Record) { c.Ratings = []string{"good", "bad", "good"} }, map[string]string{
			"cdr_ratings_total{good}": "2", "cdr_ratings_total{bad}": "1",
		}},
		{"media bypass that was counted with the call", func(c *cdr.Record) { c.MediaBypass = cdr.True }, nil},
		{
			"media bypass that wasn't", func(c *cdr.Record) { c.MediaBypass, c.Settled = cdr.False, true },
			map[string]string{
				"cdr_media_bypass_calls_total{,false}": "1", "cdr_media_bypass_ratio{}": "0",
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := &cdr.Record{}
			c.change(call)
			wantCounted(t, counted(facts.AppendSettled(nil, call, call.Settled)), c.want)
		})
	}
}

// counting.md 24: sums of ratios are exact, whatever the order.
func TestRule24Ratios(t *testing.T) {
	var all []facts.Fact
	for i := range 1000 {
		stream := audioStream()
		stream.Loss = cdr.KnownFloat([]float64{0.1, 0.001, 0.0000003}[i%3])
		all = facts.AppendSettled(all, &cdr.Record{Streams: []cdr.Stream{stream}}, false)
	}
	const want = "1000 33.7330999" // 334 times 0.1, 333 times 0.001 and 0.0000003
	if got := counted(all)["cdr_media_packet_loss_ratio{audio,callee_to_caller,wifi}"]; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Contract 3: a value on a bound lies in the bucket below it.
func TestMediaBuckets(t *testing.T) {
	for _, d := range []*Def{MediaJitter, MediaRoundTrip, MediaPacketLoss, MediaConcealed} {
		for i, bound := range d.Bounds {
			s, f := testStore()
			changes := s.Begin(f, time.Now())
			stream := cdr.Stream{Quality: cdr.Quality{
				Jitter:    cdr.KnownLength(time.Duration(math.Round(bound * 1e9))),
				RoundTrip: cdr.KnownLength(time.Duration(math.Round(bound * 1e9))),
				Loss:      cdr.KnownFloat(bound), Concealed: cdr.KnownFloat(bound),
			}}
			changes.addAll(of(facts.Stream, &cdr.Record{Streams: []cdr.Stream{stream}}))
			changes.Apply(nil)
			for _, family := range s.Snapshot().Families {
				if family.Def == d && family.Points[0].Hist.Buckets[i] != 1 {
					t.Errorf("%s: %g lies in %v", d.Name, bound, family.Points[0].Hist.Buckets)
				}
			}
		}
	}
}

// counting.md 22: which labels of media are folded past the limit.
func TestRule22MediaLabels(t *testing.T) {
	s, f := testStore()
	s.Reconfigure(Options{SeriesLimit: 1})
	changes := s.Begin(f, time.Now())
	for _, network := range []string{"wifi", "wired"} {
		stream := audioStream()
		stream.Network = network
		changes.addAll(facts.AppendSettled(nil, &cdr.Record{Streams: []cdr.Stream{stream}, Ratings: []string{network}},
			false))
		changes.addAll(of(facts.Session, &cdr.Record{Sessions: []cdr.Session{{
			Result: cdr.SessionDropped,
			Media:  network, Stage: network, Reason: network,
		}}}))
	}
	changes.Apply(nil)
	got := shown(s)
	for _, key := range []string{
		"cdr_media_streams_total{audio,callee_to_caller,overflow,overflow,good}",
		"cdr_media_jitter_seconds{audio,callee_to_caller,overflow}",
		"cdr_media_round_trip_seconds{audio,callee_to_caller,overflow}",
		"cdr_media_packet_loss_ratio{audio,callee_to_caller,overflow}",
		"cdr_media_concealed_ratio{audio,callee_to_caller,overflow}",
		"cdr_media_mos{audio,callee_to_caller,overflow}",
		"cdr_ratings_total{overflow}",
		"cdr_sessions_total{dropped,wired}",
		"cdr_session_failures_total{wired,overflow}",
	} {
		if got[key] == "" {
			t.Errorf("no %s in %v", key, got)
		}
	}
}

func TestCountingOfMediaDoesNotAllocate(t *testing.T) {
	s, f := testStore()
	call := &cdr.Record{
		Sessions: []cdr.Session{{Media: "audio", Result: cdr.SessionDropped, Stage: "midcall"}},
		Streams:  []cdr.Stream{audioStream()}, Ratings: []string{"good"}, MediaBypass: cdr.True,
	}
	var all []facts.Fact
	for range 2 { // once to make the series, once to see
		changes := s.Begin(f, time.Now())
		count := func() {
			all = facts.AppendSettled(append(all[:0], facts.Fact{Kind: facts.Session, Record: call}), call, true)
			changes.addAll(all)
		}
		count()
		if got := testing.AllocsPerRun(100, count); got != 0 {
			t.Errorf("%g allocations, want 0", got)
		}
		changes.Apply(nil)
	}
}
