package counting_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// The kind of number of a call of several legs is decided before anything is redacted, as each leg's is.
func TestNumberClassOfLegs(t *testing.T) {
	to := func(number, country string) func(*cdr.Record) {
		return func(r *cdr.Record) { r.CalleeNumber, r.Country = number, country }
	}
	from := func(number, country string) func(*cdr.Record) {
		return func(r *cdr.Record) { r.CallerNumber, r.Country = number, country }
	}
	out, in, internal := going(cdr.Outbound), going(cdr.Inbound), going(cdr.Internal)
	for _, c := range []struct {
		name string
		legs page
		want string
	}{
		{
			"the carrier that took it doesn't say which number", page{
				leg("a", 0, -1, 2, out, trunk("A"), to("+4915112345678", "DE")),
				leg("b", 2, 4, 9, out, trunk("B"), to("", "")),
			}, "{outbound,DE,mobile,true}",
		},
		{
			"only the origin has a number", page{
				leg("a", 0, -1, 2, internal, to("+4915112345678", "")),
				leg("b", 2, 4, 9, out, trunk("B"), to("", "")),
			}, "{outbound,,,true}",
		},
		{
			"the carrier's leg has a number without a country", page{
				leg("a", 0, 2, 9, out, trunk(""), party(cdr.Own), to("+12125550123", "US")),
				leg("b", 3, 5, 9, out, trunk("B"), to("09001234567", "")),
			}, "{outbound,US,other,true}",
		},
		{
			"a hidden caller", page{
				leg("a", 0, -1, 2, internal, from("201", "")),
				leg("b", 2, 4, 9, in, trunk("B"), from("", "")),
			}, "{inbound,,,true}",
		},
	} {
		for _, mode := range []cdr.Mode{cdr.Keep, cdr.Mask, cdr.Hash, cdr.Drop} {
			r := newCallRig(t, func(s *counting.Settings) {
				s.Redactor = cdr.NewRedactor(cdr.Policy{Numbers: mode}, []byte("key"))
			})
			r.records(c.legs...)
			r.wait(settle)
			var got []string
			for series := range r.values() {
				if labels, is := strings.CutPrefix(series, "cdr_calls_by_country_total"); is {
					got = append(got, labels)
				}
			}
			if len(got) != 1 || got[0] != c.want {
				t.Errorf("%s, mode %v: %v, want %s", c.name, mode, got, c.want)
			}
		}
	}
}

// The country of an outbound call is the one that it reached, not the one of the telephone that click-to-call rings
// first.
func TestCountryOfAnOutboundCall(t *testing.T) {
	inCountry := func(c string) func(*cdr.Record) { return func(r *cdr.Record) { r.Country = c } }
	out := func(id string, answer int, country string, options ...func(*cdr.Record)) *cdr.Record {
		return leg(id, 0, answer, 60, append(options, going(cdr.Outbound), inCountry(country))...)
	}
	own, without := party(cdr.Own), trunk("")
	for name, c := range map[string]struct {
		legs page
		want string
	}{
		"without trunks":         {page{out("a", 2, "US", own, without), out("b", 5, "LV", without)}, "LV"},
		"nobody answered":        {page{out("a", 2, "US", own, without), out("b", -1, "LV", without)}, "LV"},
		"the second one took it": {page{out("a", -1, "US", without), out("b", 5, "LV", without)}, "LV"},
		"it has none":            {page{out("a", 2, "US", own, without), out("b", 5, "", without)}, "US"},
		"of the trunk":           {page{out("a", 2, "US", without), out("b", 5, "LV", trunk("one"))}, "LV"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newCallRig(t, nil)
			r.records(c.legs...)
			r.wait(settle)
			for key := range r.values() {
				if strings.HasPrefix(key, "cdr_calls_by_country_total") && !strings.Contains(key, ","+c.want+",") {
					t.Errorf("%s, want %s", key, c.want)
				}
			}
		})
	}
}

// TestOriginsOfACall: a field of a call comes from the row that gave it, not from the call's first row.
func TestOriginsOfACall(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	leg := func(id string, after time.Duration, outcome cdr.Outcome, trunk, says string) *cdr.Record {
		r := &cdr.Record{
			ID: id, CallKey: "one", Start: noon.Add(after), Direction: cdr.Outbound, Outcome: outcome, Trunk: trunk,
			Duration: time.Minute, NoDuration: !outcome.Connected(),
		}
		for _, field := range []string{"start", "outcome", "trunk"} {
			r.Origins = append(r.Origins, cdr.Origin{Field: field, Value: says})
		}
		return r
	}
	calls := counting.MakeCalls([]*cdr.Record{
		leg("1", 0, cdr.Failed, "first", "the first row"),
		leg("2", time.Second, cdr.Answered, "second", "the second row"),
	})
	if len(calls) != 1 || calls[0].Outcome != cdr.Answered || calls[0].Trunk != "second" {
		t.Fatalf("%d calls: %+v", len(calls), calls)
	}
	got := make(map[string]string)
	for _, o := range calls[0].Origins {
		got[o.Field] += o.Value
	}
	if got["start"] != "the first row" || got["outcome"] != "the second row" || got["trunk"] != "the second row" {
		t.Errorf("the origins are %v", got)
	}
}

// A call of too many legs waits no longer: further rows with its key are calls. Before the origin none of them counts.
func TestTooManyLegs(t *testing.T) {
	for _, c := range []struct {
		name             string
		origin           time.Duration // after the legs
		calls, full, old int
	}{
		{"after the origin", -time.Hour, 4, 3, 0},
		{"before the origin", time.Second, 0, 0, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCallRig(t, func(s *counting.Settings) { s.Whole, s.Lead = true, 4*time.Hour })
			var all []*cdr.Record
			for n := range counting.MostLegs + 3 {
				all = append(all, leg(fmt.Sprint("l", n), 0, -1, 9))
			}
			r.state.Origin = all[0].Start.Add(c.origin)
			r.state.Floor = r.state.Origin.Add(-r.settings.Lead)
			full, old := 0, 0
			for page := range slices.Chunk(all, 250) {
				got := r.records(page...)
				full, old = full+got.FullCalls, old+got.TooOld
			}
			r.wait(5 * time.Hour)
			if got := r.total("cdr_calls_total"); got != c.calls || full != c.full || old != c.old {
				t.Errorf("%d calls, %d records that are calls, %d too old, want %d, %d, %d", got, full, old, c.calls,
					c.full, c.old)
			}
		})
	}
}

// An open leg whose row is ignored now, because it changed or by another `ignore`, leaves its call.
func TestOpenLegThatIsIgnored(t *testing.T) {
	open := leg("a", 0, -1, -1, provisional)
	for name, c := range map[string]struct {
		first, also, then page // also: on the page of the ignored row
		calls             int
	}{
		"alone":                {page{open}, nil, nil, 0},
		"it never waited":      {nil, nil, nil, 0},
		"with another leg":     {page{open, leg("b", 0, 5, 60)}, nil, nil, 1},
		"with a new leg":       {page{open}, page{leg("b", 0, 5, 60)}, nil, 1},
		"counted later":        {page{open}, nil, page{leg("a", 0, 5, 60)}, 1},
		"a leg that was final": {page{leg("a", 0, 5, 60)}, nil, nil, 1},
	} {
		for _, arrival := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, by arrival %t", name, arrival), func(t *testing.T) {
				r := newCallRig(t, func(s *counting.Settings) { s.ByArrival = arrival })
				r.records(c.first...)
				row := counting.BadRow{Content: []byte("a"), Leg: &cdr.Record{ID: "a", Start: open.Start}}
				for range 2 {
					r.commit(&counting.Page{ObservedAt: r.at, Records: c.also, Ignored: []counting.BadRow{row}})
				}
				r.records(c.then...)
				got, counted := r.wait(settle), r.total("cdr_calls_total")
				if got.Waiting != 0 || got.Incomplete != 0 || counted != c.calls {
					t.Errorf("%d calls, %+v", counted, got)
				}
			})
		}
	}
}

// A row that is ignored beside one with its id, which is open, doesn't take the leg from its call.
func TestIgnoredRowBesideAnOpenLeg(t *testing.T) {
	r := newCallRig(t, nil)
	open := leg("a", 0, -1, -1, provisional)
	row := counting.BadRow{Content: []byte("a"), Leg: &cdr.Record{ID: "a", Start: open.Start}}
	for range 3 {
		r.commit(&counting.Page{ObservedAt: r.at, Records: page{open}, Ignored: []counting.BadRow{row}})
		if got := r.wait(settle); got.Waiting != 1 {
			t.Fatalf("%+v", got)
		}
	}
	r.records(leg("a", 0, 5, 60))
	if r.wait(settle); r.total("cdr_calls_total") != 1 {
		t.Error(r.total("cdr_calls_total"))
	}
}

// A leg counts in one call, also after its parent has come and leads to another one that was counted too: a later
// version of the leg adds nothing there.
func TestLaterVersionAfterItsParent(t *testing.T) {
	for name, late := range map[string]func(version int) func(*cdr.Record){
		"with a price": func(n int) func(*cdr.Record) { return charge(t, "usage", "EUR", strconv.Itoa(n)) },
		"longer": func(n int) func(*cdr.Record) {
			return func(r *cdr.Record) { r.End = r.End.Add(time.Duration(n) * 10 * time.Second) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newCallRig(t, func(s *counting.Settings) { s.Parents = true })
			child := func(o ...func(*cdr.Record)) *cdr.Record {
				return leg("a", 0, 5, 60, append(o, inGroup(""), childOf("m"), trunk("one"))...)
			}
			r.records(child())
			r.records(leg("g", 0, -1, 60))
			r.wait(settle)
			r.records(leg("m", 0, -1, 60, inGroup(""), childOf("g")))
			r.restart()
			for n := range 3 {
				r.records(child(late(n + 1)))
			}
			want := 55
			if name == "longer" {
				want = 85
			}
			for _, metric := range []string{"cdr_call_connected_seconds_total", "cdr_trunk_connected_seconds_total"} {
				if got := r.total(metric); got != want*1e6 {
					t.Errorf("%s is %d, want %d s", metric, got, want)
				}
			}
			if n := r.total("cdr_call_outcome_changes_total"); n != 0 {
				t.Errorf("%d outcomes changed", n)
			}
		})
	}
}

// The call of a leg is found although two parents came: the first one before the call counted, the second one after.
func TestLaterVersionAfterTwoParents(t *testing.T) {
	r := newCallRig(t, func(s *counting.Settings) { s.Parents = true })
	child := func(end int) *cdr.Record { return leg("a", 0, 5, end, inGroup(""), childOf("b")) }
	r.records(child(60))
	r.records(leg("b", 0, -1, 60, inGroup(""), childOf("m")))
	r.records(leg("g", 0, -1, 60))
	r.wait(settle)
	r.records(leg("m", 0, -1, 60, inGroup(""), childOf("g")))
	r.restart()
	for n := range 3 {
		r.records(child(70 + 10*n))
	}
	if got := r.total("cdr_call_connected_seconds_total"); got != 85*1e6 {
		t.Errorf("connected for %d, want 85 s", got)
	}
	if n := r.total("cdr_call_outcome_changes_total"); n != 0 {
		t.Errorf("%d outcomes changed", n)
	}
}
