package metrics

import (
	"fmt"
	"maps"
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
