package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// ofSource are the own metrics of a source by name and labels.
func ofSource(o *SelfMetrics, source string) map[string]string {
	all := make(map[string]string)
	for _, family := range o.Snapshot().Families {
		for _, p := range family.Points {
			if family.Def.Base == SourceOnly && p.Labels.Values[0] == source {
				all[family.Def.Name+"{"+strings.Join(p.Labels.Values[1:], ",")+"}"] = fmt.Sprint(p.Value)
			}
		}
	}
	return all
}

func TestNotified(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	const count, expiry, last = "cdr_notifications_total", "cdr_subscription_expiry_timestamp_seconds",
		"cdr_subscription_last_notification_timestamp_seconds"
	o := NewSelfMetrics(func() time.Time { return at }, false)
	n, other := o.Source("contoso"), o.Source("fabrikam")
	want := map[string]string{}
	check := func(name string) {
		t.Helper()
		if got := ofSource(o, "contoso"); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	check("no webhook")
	n.Listens()
	other.Listens()
	for _, result := range []string{"accepted", "duplicate", "forged", "invalid", "refused"} {
		want[count+"{"+result+"}"] = "0"
	}
	check("a webhook")
	n.Notifications("accepted", 2)
	n.Notifications("forged", 1)
	n.Notifications("duplicate", 0)
	n.LastNotification(at)
	n.SubscriptionExpiry(at.Add(time.Hour))
	want[count+"{accepted}"], want[count+"{forged}"] = "2", "1"
	want[last+"{}"], want[expiry+"{}"] = fmt.Sprint(float64(at.Unix())), fmt.Sprint(float64(at.Add(time.Hour).Unix()))
	check("notified")
	n.Listens() // a reload: nothing starts over
	n.SubscriptionExpiry(time.Time{})
	delete(want, expiry+"{}")
	check("the subscription is gone")
	o.Forget("contoso", "call_records")
	check("a feed is no longer configured")
	n.Forget()
	want = map[string]string{}
	check("no webhook any more")
	if got := ofSource(o, "fabrikam"); len(got) != 5 {
		t.Errorf("the other source has %v", got)
	}
	o.Forget("fabrikam")
	if got := ofSource(o, "fabrikam"); len(got) != 0 {
		t.Errorf("forgotten, but there is %v", got)
	}
}

// Spans that were set aside aren't records that were: CDRRangeUnreadable says which of them can't be read.
func TestTasksByKind(t *testing.T) {
	o := NewSelfMetrics(time.Now, false)
	f := o.Feed("contoso", "pstn")
	f.Tasks("span", 3, 2)
	f.Tasks("record", 5, 1)
	got := make(map[string]float64)
	for _, family := range o.Snapshot().Families {
		if family.Def == Tasks {
			for _, p := range family.Points {
				got[p.Labels.Values[2]] = p.Value
			}
		}
	}
	if got["waiting"] != 8 || got["record_set_aside"] != 1 || got["span_set_aside"] != 2 {
		t.Errorf("tasks are %v", got)
	}
}

// midday is the clock of these tests at their begin.
var midday = time.Date(2026, time.March, 29, 12, 0, 0, 0, time.UTC)

// shownBy is what a snapshot has of some metrics, as `metric{values} value`, sorted.
func shownBy(s Snapshot, defs ...*Def) []string {
	var all []string
	for _, f := range s.Families {
		if !slices.Contains(defs, f.Def) {
			continue
		}
		for _, p := range f.Points {
			all = append(all, fmt.Sprintf("%s{%s} %v", f.Def.Name, strings.Join(p.Labels.Values, " "), p.Value))
		}
	}
	slices.Sort(all)
	return all
}

// TestReplace: a gauge has the given rows and no others, and rows that are alike add up.
func TestReplace(t *testing.T) {
	own := NewSelfMetrics(func() time.Time { return midday }, false)
	row := func(direction string, n float64) Sample {
		return Sample{Labels: []string{"a", "ringcentral", "active_calls", direction}, Value: n}
	}
	if got := shownBy(own.Snapshot(), ActiveCalls); got != nil {
		t.Errorf("before the first snapshot of a feed: %q", got)
	}
	for _, test := range []struct {
		name string
		rows []Sample
		want []string
	}{
		{
			"the first",
			[]Sample{row("inbound", 2), row("outbound", 0)},
			[]string{
				"cdr_active_calls{a ringcentral active_calls inbound} 2",
				"cdr_active_calls{a ringcentral active_calls outbound} 0",
			},
		},
		{"another", []Sample{row("outbound", 3)}, []string{"cdr_active_calls{a ringcentral active_calls outbound} 3"}},
		{
			"the same again",
			[]Sample{row("outbound", 3)},
			[]string{"cdr_active_calls{a ringcentral active_calls outbound} 3"},
		},
		{
			"one in two rows",
			[]Sample{row("inbound", 1), row("inbound", 4)},
			[]string{"cdr_active_calls{a ringcentral active_calls inbound} 5"},
		},
		{"none", nil, nil},
	} {
		own.Replace(ActiveCalls, test.rows)
		if got := shownBy(own.Snapshot(), ActiveCalls); !slices.Equal(got, test.want) {
			t.Errorf("%s: shown are %q, want %q", test.name, got, test.want)
		}
	}
}
