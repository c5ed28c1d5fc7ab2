package counting_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

var (
	call, start, outcome, version, alts, inGroup, childOf = cdrtest.Call, cdrtest.Start, cdrtest.Outcome,
		cdrtest.Version, cdrtest.Alts, cdrtest.InGroup, cdrtest.ChildOf
	charge, sessions, stream, bypass = cdrtest.Charge, cdrtest.Sessions, cdrtest.Stream,
		cdrtest.Bypass
	provisional, settled = cdrtest.Provisional, cdrtest.Settled
	epoch                = cdrtest.Epoch
)

const (
	answered = "cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,false}"
	// bucketReach is how far apart two starts are found from each other at least, wherever they lie.
	bucketReach = counting.BucketSeconds / 2 * time.Second
)

// bucketEdge is where one bucket ends and the next begins.
var bucketEdge = time.Unix((epoch.Unix()/counting.BucketSeconds+1)*counting.BucketSeconds, 0)

// rig is a feed with a clock.
type rig struct {
	*store
	at time.Time
}

// newRig is a feed that began a day before epoch.
func newRig(t *testing.T, rules counting.Rules) *rig {
	return rigSince(t, rules, 24*time.Hour)
}

// newMovingRig is a feed whose starts move and whose parts settle, with ten days of history.
func newMovingRig(t *testing.T) *rig {
	r := rigSince(t, counting.Rules{Grows: true}, 240*time.Hour)
	r.settings.LateAfter = 1000 * time.Hour
	return r
}

func rigSince(t *testing.T, rules counting.Rules, history time.Duration) *rig {
	origin := epoch.Add(-history)
	settings := counting.Settings{
		Rules: rules, Source: "contoso", Provider: "msgraph", Feed: "direct_routing", Currency: "XXX",
		History: history, Lookback: 48 * time.Hour, LateAfter: time.Hour,
	}
	return &rig{store: newStore(t, settings, counting.State{Origin: origin, Floor: origin}), at: epoch}
}

// records commits a page of records.
func (r *rig) records(all ...*cdr.Record) counting.Result {
	r.t.Helper()
	return r.commit(&counting.Page{Records: all, ObservedAt: r.at})
}

func changed(r *cdr.Record, change func(*cdr.Record)) *cdr.Record {
	change(r)
	return r
}

type page = []*cdr.Record

// step is a page and what its commit finds, as `1 new, 2 repeated`.
type step struct {
	name    string
	records page
	want    string
}

// play commits pages. Another process commits each of them.
func (r *rig) play(steps ...step) {
	r.t.Helper()
	for _, s := range steps {
		if got := found(r.records(s.records...)); got != s.want {
			r.t.Errorf("%s: %s, want %s", s.name, got, s.want)
		}
		r.restart()
	}
}

// found is what a commit found.
func found(r counting.Result) string {
	var all []string
	for _, c := range []struct {
		n    int
		what string
	}{{r.New, "new"}, {r.Duplicate, "repeated"}, {r.Revised, "revised"}, {r.TooOld, "too old"}} {
		if c.n > 0 {
			all = append(all, fmt.Sprint(c.n, " ", c.what))
		}
	}
	return strings.Join(all, ", ")
}

// preview is what a page would find of its records.
func (s *store) preview(at time.Time, records ...*cdr.Record) []counting.Finding {
	s.t.Helper()
	return s.previewPage(&counting.Page{Records: records, ObservedAt: at}).Records
}

func (s *store) previewPage(page *counting.Page) *counting.Findings {
	s.t.Helper()
	found, err := s.decision.Preview(s.known(s.decision.Keys(page, &s.settings, &s.hasher)))
	require.NoError(s.t, err)
	return found
}

// restart forgets all but what is stored.
func (r *rig) restart() { r.decision = counting.NewDecision() }

// entries is how many entries are stored in buckets that match.
func (r *rig) entries(match func(bucket int64) bool) (n int) {
	for at := range r.ids {
		if match(at.Bucket) {
			n++
		}
	}
	return n
}

// byHour says whether a bucket is an hour.
func byHour(bucket int64) bool { return bucket > 0 }

// total is how much a counter counted.
func (r *rig) total(name string) int { return int(r.count(name)) }

// values are the series by `name{labels}`; histograms by count and sum.
func (r *rig) values() map[string]string {
	all := make(map[string]string)
	defs := make(map[string]*metrics.Def)
	for _, d := range metrics.Catalogue() {
		defs[d.Name] = d
	}
	for key, n := range r.counts {
		name, _, _ := strings.Cut(key, "{")
		text := strconv.FormatFloat(defs[name].InUnit(n), 'g', -1, 64)
		if defs[name].Kind == metrics.Histogram {
			text = fmt.Sprintf("%d/%g", n, defs[name].InUnit(r.observed[key]))
		}
		all[key] = text
	}
	for key, m := range r.money {
		all[key] = m.String()
	}
	return all
}

func wantValues(t *testing.T, got, want map[string]string) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got[key] != want[key] {
			t.Errorf("%s = %q, want %q", key, got[key], want[key])
		}
	}
}
