package explain_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/explain"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book is a provider's list of records, by id.
type book map[string]*cdr.Record

// Pages implements collector.RangeReader.
func (b book) Pages(_ context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		page := new(collector.Page)
		for _, r := range b {
			if !r.Start.Before(from) && r.Start.Before(to) {
				copied := *r
				page.Records = append(page.Records, &copied)
			}
		}
		yield(page, nil)
	}
}

// change is what the ledger counted when.
type change struct {
	delta metrics.Delta
	start time.Time
}

// bench is an exporter's ledger, with a provider beside it.
type bench struct {
	t      *testing.T
	where  ledger.Storage
	spec   ledger.FeedSpec
	at     time.Time
	listed book
	all    []change
	ledger *ledger.Ledger
	feed   *ledger.Feed
	// meanwhile is called between the look at the ledger and the read; nil: nothing happens.
	meanwhile func()
}

func newBench(t *testing.T, rules counting.Rules) *bench {
	b := &bench{
		t: t, at: cdrtest.Epoch, where: ledger.Storage{Folder: filepath.Join(t.TempDir(), "ledger")},
		listed: make(book),
		spec: ledger.FeedSpec{Fingerprint: "one", Settings: counting.Settings{
			Rules: rules, Source: "s", Provider: "p", Feed: "f", Currency: "EUR", History: 24 * time.Hour,
			Lookback:  48 * time.Hour,
			LateAfter: time.Hour, WholeAfter: time.Hour,
		}},
	}
	b.open()
	t.Cleanup(b.close)
	return b
}

// open opens the ledger, as after a kill.
func (b *bench) open() {
	b.t.Helper()
	var err error
	b.ledger, err = ledger.Open(b.t.Context(), ledger.Settings{
		Storage: b.where, Now: func() time.Time { return b.at },
		Options: metrics.Options{SeriesLimit: 1000},
		OnFact: func(f *facts.Fact, changed []metrics.Delta) {
			for _, d := range changed {
				b.all = append(b.all, change{d, f.Record.Start})
			}
		},
	})
	if err == nil {
		b.feed, err = b.ledger.Feed(b.t.Context(), b.spec)
	}
	b.must(err)
}

func (b *bench) close() {
	if err := b.ledger.Close(); err != nil {
		b.t.Error(err)
	}
}

func (b *bench) must(err error) {
	b.t.Helper()
	require.NoError(b.t, err)
}

// count lists records and has the exporter count them.
func (b *bench) count(records ...*cdr.Record) {
	b.t.Helper()
	for _, r := range records {
		b.listed[r.ID] = r
	}
	_, err := b.feed.Commit(b.t.Context(), &counting.Page{
		Records: records, ObservedAt: b.at, Position: &counting.Position{
			HistoryDone: true, Watermark: b.at,
			Read: &counting.Read{Began: b.at},
		},
	})
	b.must(err)
}

// countWhole has the exporter count, two hours later, the calls that are whole by then.
func (b *bench) countWhole() {
	b.t.Helper()
	b.at = b.at.Add(2 * time.Hour)
	b.count()
}

// explain explains a selector as the command does.
func (b *bench) explain(text string, from, to time.Time) *explain.Result {
	return b.explainAll([]string{text}, from, to)[0]
}

// from and to bound the calls that most tests explain.
var from, to = cdrtest.Epoch.Add(-2 * time.Hour), cdrtest.Epoch.Add(time.Minute)

// countEarlier counts a call before that range, so that the series has more than the range.
func (b *bench) countEarlier() {
	b.t.Helper()
	b.count(cdrtest.Call("z", cdrtest.Start(from.Add(-3*time.Hour))))
}

// wants wants the sum of a selector, whether it is proven, and its differences.
func (b *bench) wants(selector, want string) {
	b.t.Helper()
	if got := textOf(b.explain(selector, from, to)); got != want {
		b.t.Errorf("%s: got %q, want %q", selector, got, want)
	}
}

// explainAll explains several selectors of one range, which it reads once.
func (b *bench) explainAll(texts []string, from, to time.Time) (all []*explain.Result) {
	b.t.Helper()
	var feeds []*explain.Feed
	for _, text := range texts {
		s, err := explain.Parse(text, nil)
		b.must(err)
		feeds = append(feeds, &explain.Feed{Selector: s, Spec: b.spec, From: from, To: to})
	}
	before, err := b.where.Inspect(b.t.Context())
	b.must(err)
	for _, e := range feeds {
		b.must(e.Remember(before))
	}
	b.must(before.Close())
	if b.meanwhile != nil {
		b.meanwhile()
	}
	h, err := history.Open(b.t.Context(), history.Settings{
		From: from.Truncate(time.Hour).Add(-explain.Margin), Step: time.Minute, SeriesLimit: 1000,
		Now:   func() time.Time { return b.at },
		Label: func(_ string, records []*cdr.Record) { explain.Identify(records) },
		Note:  func(string) {}, CountWaiting: true, OnFact: func(_ *history.Feed, f *facts.Fact) {
			for _, e := range feeds {
				e.Add(f)
			}
		},
	})
	b.must(err)
	defer h.Close() //nolint:errcheck // temporary
	_, err = h.Read(b.t.Context(), history.Feed{
		Source: "s", Provider: "p", To: to.Add(time.Hour).Truncate(time.Hour).Add(explain.Margin),
		Info: &collector.FeedInfo{
			Name: "f", Reader: b.listed, Lookback: b.spec.Lookback, Currency: "EUR", Rules: b.spec.Rules,
			WholeAfter: time.Hour, Fingerprint: "one",
		},
	})
	b.must(err)
	i, err := b.where.Inspect(b.t.Context())
	b.must(err)
	defer i.Close() //nolint:errcheck // read
	for _, e := range feeds {
		result, err := e.Prove(i, b.at)
		b.must(err)
		if result.Proven() && result.Listed.Sign() != 0 && !e.MayAdd(i) {
			b.t.Errorf("%v isn't read, but its records add %s", e.Selector, &result.Listed)
		}
		if !slices.IsSortedFunc(result.Entries, func(a, b explain.Entry) int {
			return a.Record.Start.Compare(b.Record.Start)
		}) {
			b.t.Errorf("the entries of %v aren't in order of time", e.Selector)
		}
		all = append(all, result)
	}
	return all
}

// counted is what the ledger counted of a series for calls that start in a range.
func (b *bench) counted(series string, from, to time.Time) (sum cdr.Money) {
	for i := range b.all {
		c := &b.all[i]
		if selectorOf(c.delta.Def, c.delta.LabelValues()) != series || c.start.Before(from) || !c.start.Before(to) {
			continue
		}
		v := metrics.NewValue(c.delta.Def)
		v.Add(c.delta.Def, c.delta.N, &c.delta.Money)
		amount := v.Exact(c.delta.Def)
		if h := v.Hist(); h != nil {
			amount = c.delta.Def.Exact(h.Sum)
		}
		sum = sum.Add(&amount)
	}
	return sum
}

func selectorOf(d *metrics.Def, own []string) string {
	name, labels := d.Name, []string{`source="s"`}
	if d.Kind == metrics.Histogram {
		name += "_sum"
	}
	for i, l := range d.Labels {
		labels = append(labels, fmt.Sprintf("%s=%q", l.Name, own[i]))
	}
	return name + "{" + strings.Join(labels, ",") + "}"
}

// randomRecord is a version of a record: its outcome and charges change from one to the next.
func randomRecord(t *testing.T, random *rand.Rand, n int, legs bool) *cdr.Record {
	calls := rand.New(rand.NewPCG(uint64(n), 5)) //nolint:gosec // what doesn't change
	start := cdrtest.Epoch.Add(-12*time.Hour + time.Duration(calls.IntN(12*3600))*time.Second)
	r := cdrtest.Call(fmt.Sprint("r", n), cdrtest.Start(start))
	r.Direction, r.Trunk = []cdr.Direction{cdr.Inbound, cdr.Outbound}[calls.IntN(2)], fmt.Sprint("sbc", calls.IntN(2))
	r.Duration = time.Duration(calls.IntN(600_000_000)) * time.Microsecond
	r.Answer, r.End = r.Start, r.Start.Add(r.Duration)
	if legs && n%3 > 0 {
		r.CallKey, r.Start = fmt.Sprint("call", n/3), cdrtest.Epoch.Add(-time.Duration(n)*time.Minute)
		r.Answer, r.End = r.Start, r.Start.Add(r.Duration)
	} else {
		r.Outcome = []cdr.Outcome{cdr.Answered, cdr.Busy, cdr.Failed}[random.IntN(3)]
	}
	if random.IntN(2) == 0 {
		cdrtest.Charge(t, "usage", "", fmt.Sprintf("0.%03d", random.IntN(3)))(r)
	}
	return r
}

// TestSumsAreProven: over versions, late records and restarts, what is listed for any series and
// range is what the ledger counted of it, and the range of all has the value of the series.
func TestSumsAreProven(t *testing.T) {
	for _, rules := range []counting.Rules{{}, {Legs: true}} {
		t.Run(fmt.Sprintf("legs %t", rules.Legs), func(t *testing.T) {
			random := rand.New(rand.NewPCG(8, 9)) //nolint:gosec // a test
			b := newBench(t, rules)
			for range 8 {
				var page []*cdr.Record
				for range 30 {
					n := random.IntN(120)
					if was := b.listed[fmt.Sprint("r", n)]; was == nil || was.CallKey == "" {
						page = append(page, randomRecord(t, random, n, rules.Legs))
					}
				}
				b.count(page...)
				b.at = b.at.Add(20 * time.Minute)
				if random.IntN(3) == 0 {
					b.close()
					b.open()
				}
			}
			b.countWhole()
			var series []string
			for i := range b.all {
				one := selectorOf(b.all[i].delta.Def, b.all[i].delta.LabelValues())
				if b.all[i].delta.Def.Kind != metrics.Gauge && !slices.Contains(series, one) {
					series = append(series, one)
				}
			}
			proven, all := 0, 0
			for n := range 4 {
				from, to := cdrtest.Epoch.Add(-24*time.Hour), b.at.Add(time.Hour)
				if n > 0 {
					from = from.Add(time.Duration(random.IntN(24*3600)) * time.Second)
					to = from.Add(time.Duration(1+random.IntN(12*3600)) * time.Second)
				}
				for i, result := range b.explainAll(series, from, to) {
					want := b.counted(series[i], from, to)
					if all++; result.Proven() {
						proven++
					}
					isFailure := strings.HasPrefix(series[i], "cdr_call_failures") // whose reasons nobody says again
					if result.Proven() && !result.Listed.Equal(&want) || !result.Proven() && !isFailure && !rules.Legs {
						t.Errorf("%s from %s to %s: %d records add %s, counted %s, proven %t: %+v. Does a "+
							"later version change what counts? Then measured or changing must say so", series[i], from,
							to, len(result.Entries), result.Listed.String(), want.String(), result.Proven(),
							result.Differences)
					}
				}
			}
			if t.Logf("%d of %d sums are proven", proven, all); proven < all*2/3 {
				t.Error("too few")
			}
		})
	}
}

// textOf is the sum of a result, whether it is proven, and its differences.
func textOf(r *explain.Result) string {
	text := fmt.Sprint(r.Listed.String(), " ", r.Proven())
	for _, d := range r.Differences {
		name, _, _ := strings.Cut(d.Reason, ":")
		text += fmt.Sprintf(" %s %d", name, d.Records)
	}
	return text
}

// TestGone: a record that the provider doesn't list any more is in the sum, by the start that the ledger remembers.
func TestGone(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules counting.Rules
		want  string
	}{
		{"kept by the hour", counting.Rules{}, "2 true"},
		{"kept by arrival", counting.Rules{ByArrival: true}, "2 true"},
		{"starts move", counting.Rules{Grows: true}, "2 true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.rules)
			b.count(cdrtest.Call("a"), cdrtest.Call("b"),
				cdrtest.Call("c", cdrtest.Start(cdrtest.Epoch.Add(-5*time.Hour))))
			delete(b.listed, "b")
			delete(b.listed, "c")
			b.wants("cdr_calls_total", c.want)
		})
	}
}

// TestCountedMeanwhile: a record that is counted while the provider is read isn't gone if it wasn't listed yet.
func TestCountedMeanwhile(t *testing.T) {
	b := newBench(t, counting.Rules{})
	b.count(cdrtest.Call("a"))
	b.meanwhile = func() {
		b.count(cdrtest.Call("b"))
		delete(b.listed, "b")
	}
	b.wants("cdr_calls_total", "1 true")
}

// TestLegWithoutID: a call of legs that have no id is found, and named by the hash of a leg.
func TestLegWithoutID(t *testing.T) {
	b := newBench(t, counting.Rules{Legs: true})
	b.count(cdrtest.Call("", func(r *cdr.Record) { r.Synthetic, r.CallKey = "row \xff", "k" }))
	b.countWhole()
	r := b.explain("cdr_calls_total", from, to)
	if got := textOf(r); got != "1 true" || r.Entries[0].Record.ID == "" {
		t.Errorf("got %q of %+v, want 1 that is proven", got, r.Entries)
	}
}

// TestDifferences: what isn't in the sum, and what keeps it from being proven.
func TestDifferences(t *testing.T) {
	trunk := func(name string) cdrtest.Option { return func(r *cdr.Record) { r.Trunk = name } }
	for _, c := range []struct {
		name, selector string
		prepare        func(b *bench)
		want           string
	}{
		{"all is there", "cdr_calls_total", func(b *bench) { b.count(cdrtest.Call("a"), cdrtest.Call("b")) }, "2 true"},
		{"one isn't counted", "cdr_calls_total", func(b *bench) {
			b.count(cdrtest.Call("a"))
			b.listed["b"] = cdrtest.Call("b")
		}, "1 true came later 1"},
		{"one isn't final", "cdr_calls_total", func(b *bench) {
			b.count(cdrtest.Call("a"))
			b.listed["b"] = cdrtest.Call("b", cdrtest.Provisional)
		}, "1 true"},
		{"one is gone", `cdr_calls_total{direction="inbound"}`, func(b *bench) {
			b.count(cdrtest.Call("a"), cdrtest.Call("b"))
			delete(b.listed, "b")
		}, "2 true"},
		{"one is gone, and its trunk with it", `cdr_calls_total{trunk="sbc1.example.com"}`, func(b *bench) {
			b.count(cdrtest.Call("a"), cdrtest.Call("b"))
			delete(b.listed, "b")
		}, "1 false gone 1"},
		{"one is gone, and how long it took", "cdr_call_duration_seconds_sum", func(b *bench) {
			b.count(cdrtest.Call("a"), cdrtest.Call("b"))
			delete(b.listed, "b")
		}, "60 false gone 1"},
		{"another trunk now", `cdr_calls_total{trunk="sbc1.example.com"}`, func(b *bench) {
			b.count(cdrtest.Call("a"))
			b.count(cdrtest.Call("a", trunk("sbc2")))
		}, "0 false revised 1"},
		{"another trunk, which isn't asked for", "cdr_calls_total", func(b *bench) {
			b.count(cdrtest.Call("a"))
			b.count(cdrtest.Call("a", trunk("sbc2")))
		}, "1 true"},
		{"another answer, and how long it rang", "cdr_call_setup_seconds_sum", func(b *bench) {
			for _, rang := range []time.Duration{3 * time.Second, 5 * time.Second} {
				b.count(cdrtest.Call("a", func(r *cdr.Record) { r.Invite, r.Answer = r.Start, r.Start.Add(rang) }))
			}
		}, "5 false revised 1"},
		{"another duration", "cdr_call_duration_seconds_count", func(b *bench) {
			b.count(cdrtest.Call("a"))
			b.count(cdrtest.Call("a", func(r *cdr.Record) { r.Duration = time.Hour }))
		}, "1 false revised 1"},
		{"no duration any more", "cdr_call_connected_seconds_total", func(b *bench) {
			b.count(cdrtest.Call("a"))
			b.count(cdrtest.Call("a", func(r *cdr.Record) { r.Duration, r.NoDuration = 0, true }))
		}, "0 false revised 1"},
		{"voicemail, then a person without a duration", "cdr_call_connected_seconds_total", func(b *bench) {
			b.count(cdrtest.Call("a", func(r *cdr.Record) { r.Outcome = cdr.Voicemail }))
			b.count(cdrtest.Call("a", func(r *cdr.Record) { r.Duration, r.NoDuration = 0, true }))
		}, "0 false revised 1"},
		{"another duration, of a record with legs in it", "cdr_call_connected_seconds_total", func(b *bench) {
			for _, took := range []time.Duration{time.Minute, 90 * time.Second, 70 * time.Second} {
				b.count(cdrtest.Call("a", func(r *cdr.Record) { r.ListsLegs, r.Duration = true, took }))
			}
		}, "90 true"},
		{"the range begins before what is remembered", "cdr_calls_total", func(b *bench) {
			b.count(cdrtest.Call("a"))
			b.at = b.at.Add(7 * 24 * time.Hour)
			b.count()
			b.must(b.ledger.Prune(b.t.Context()))
			delete(b.listed, "a")
		}, "0 false may be forgotten 0"},
		{"late", `cdr_calls_total{late="true"}`, func(b *bench) {
			b.count(cdrtest.Call("a"))
			b.at = b.at.Add(3 * time.Hour)
			b.count(cdrtest.Call("b"))
		}, "1 true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, counting.Rules{})
			c.prepare(b)
			b.wants(c.selector, c.want)
		})
	}
}

// TestBuckets: a record adds to each bucket that holds it, and to the selected ones only.
func TestBuckets(t *testing.T) {
	b := newBench(t, counting.Rules{})
	b.count(cdrtest.Call("a", func(r *cdr.Record) { r.Duration = 4 * time.Second }), cdrtest.Call("b"))
	for selector, want := range map[string]string{
		`{le="5"}`: "1", `{le="5.0"}`: "1", `{le="60"}`: "2", `{le="+Inf"}`: "2", `{le=~"5|60"}`: "3",
		`{le!="5"}`: "23", ``: "24",
	} {
		r := b.explain("cdr_call_duration_seconds_bucket"+selector, from, to)
		if got := r.Listed.String(); got != want {
			t.Errorf("%s adds %s, want %s", selector, got, want)
		}
	}
}

// TestBecause: an entry says what its labels come from.
func TestBecause(t *testing.T) {
	inTable := func(r *cdr.Record) {
		r.SIPCode, r.Reason = cdr.KnownInt(504), "gateway_timeout"
		r.Origins = []cdr.Origin{{Field: "outcome", Value: "GW_TIMEOUT", Table: true, Where: "acmetel.yaml:12"}}
	}
	withCodes := func(r *cdr.Record) {
		r.SIPCode, r.SubCode, r.Reason = cdr.KnownInt(504), cdr.KnownInt(7), "gateway_timeout"
	}
	const byTable = `by a table, from "GW_TIMEOUT", acmetel.yaml:12`
	const byReason = `cdr_call_failures_total{reason="gateway_timeout"}`
	for _, c := range []struct {
		record         cdrtest.Option
		selector, want string
	}{
		{inTable, byReason, `reason="gateway_timeout" ` + byTable},
		{inTable, `cdr_calls_by_country_total{country=""}`, `country="" by the other party's number`},
		{inTable, `cdr_calls_total`, `outcome="failed" ` + byTable},
		{withCodes, byReason, `reason="gateway_timeout" by the table of SIP codes, from 504 and 7`},
		{withCodes, `cdr_calls_total`, `outcome="failed" with the SIP code 504 and 7`},
		{func(*cdr.Record) {}, `cdr_calls_total`, `outcome="failed" as the record says`},
	} {
		b := newBench(t, counting.Rules{})
		b.count(cdrtest.Call("a", cdrtest.Outcome(cdr.Failed), c.record))
		r := b.explain(c.selector, from, to)
		if len(r.Entries) != 1 || r.Entries[0].Because != c.want {
			t.Errorf("%s: %+v, want %s", c.selector, r.Entries, c.want)
		}
	}
}

// TestBecauseOfLegs: an entry of a call of several records says how many there are.
func TestBecauseOfLegs(t *testing.T) {
	for text, ids := range map[string][]string{
		`outcome="answered" as the record says`:                   {"a"},
		`outcome="answered" as the record says; a call of 2 legs`: {"a", "b"},
	} {
		b := newBench(t, counting.Rules{Legs: true})
		var legs []*cdr.Record
		for _, id := range ids {
			legs = append(legs, cdrtest.Call(id, func(r *cdr.Record) { r.CallKey = "k" }))
		}
		b.count(legs...)
		b.countWhole()
		r := b.explain("cdr_calls_total", from, to)
		if len(r.Entries) != 1 || r.Entries[0].Because != text {
			t.Errorf("%+v, want %s", r.Entries, text)
		}
	}
}

// TestBecauseOfTimes: an entry of a length of time also says where the time is from.
func TestBecauseOfTimes(t *testing.T) {
	b := newBench(t, counting.Rules{})
	b.count(cdrtest.Call("a", func(r *cdr.Record) {
		r.Invite, r.Answer, r.Duration = r.Start, r.Start.Add(3*time.Second), time.Minute
		r.Origins = []cdr.Origin{
			{Field: "answer", Where: "acmetel.yaml:8"}, {Field: "duration", Value: "60", Where: "acmetel.yaml:9"},
		}
	}))
	for name, want := range map[string]string{
		"cdr_call_setup_seconds_sum":    "answer from acmetel.yaml:8",
		"cdr_call_duration_seconds_sum": `duration from "60", acmetel.yaml:9`,
	} {
		r := b.explain(name, from, to)
		if len(r.Entries) != 1 || !strings.HasSuffix(r.Entries[0].Because, "; "+want) {
			t.Errorf("%s: %+v, want %s", name, r.Entries, want)
		}
	}
}

// TestMayBeForgotten: the reason names a range that can be proven, also if the range begins before counting did.
func TestMayBeForgotten(t *testing.T) {
	b := newBench(t, counting.Rules{})
	b.count(cdrtest.Call("a"))
	began := cdrtest.Epoch.Add(-b.spec.History)
	if d := b.explain("cdr_calls_total", began.Add(-time.Hour), b.at).Differences; len(d) > 0 {
		t.Errorf("while nothing is forgotten: %+v", d)
	}
	b.at = b.at.Add(7 * 24 * time.Hour)
	b.count(cdrtest.Call("b", cdrtest.Start(b.at.Add(-time.Hour))))
	b.must(b.ledger.Prune(b.t.Context()))
	delete(b.listed, "a")
	early := began.Add(-time.Hour)
	want := "; begin there, or explain all that was counted, from before " + began.UTC().Format(time.RFC3339) +
		" up to now"
	if d := b.explain("cdr_calls_total", early, to).Differences; len(d) != 1 || !strings.HasSuffix(d[0].Reason, want) {
		t.Errorf("%+v, want%s", d, want)
	}
	if r := b.explain("cdr_calls_total", early, b.at); r.Counted == nil {
		t.Error("the whole range isn't compared with the series")
	}
}
