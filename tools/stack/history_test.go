package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

// about makes an alert as an API tells it.
func about(name, trunk, severity, state string) parts.Alert {
	return parts.Alert{Labels: map[string]string{"alertname": name, "trunk": trunk, "severity": severity}, State: state}
}

func TestChanges(t *testing.T) {
	list := func(all ...parts.Alert) []parts.Alert { return all }
	down := func(state string) parts.Alert { return about("CDRTrunkDown", trunk, "critical", state) }
	for _, c := range []struct {
		name                       string
		prometheus, alertmanager   []parts.Alert
		prometheus2, alertmanager2 []parts.Alert
		want                       []string
	}{
		{"nothing", nil, nil, nil, nil, nil},
		{"pending", nil, nil, list(down(parts.Pending)), nil, []string{"CDRTrunkDown " + trunk + " is pending in Prometheus."}},
		{"firing and received", list(down(parts.Pending)), nil, list(down(parts.Firing)), list(down(parts.Active)), []string{
			"CDRTrunkDown " + trunk + " fires in Prometheus.", "CDRTrunkDown " + trunk + " in Alertmanager: received.",
		}},
		{"the same", list(down(parts.Firing)), list(down(parts.Active)), list(down(parts.Firing)), list(down(parts.Active)), nil},
		{"held back", list(down(parts.Firing)), list(down(parts.Active)), list(down(parts.Firing)), list(down(parts.Suppressed)), []string{
			"CDRTrunkDown " + trunk + " in Alertmanager: held back: another alert explains it.",
		}},
		{"over in Prometheus", list(down(parts.Firing)), list(down(parts.Active)), nil, list(down(parts.Active)), []string{
			"CDRTrunkDown " + trunk + " no longer holds in Prometheus.",
		}},
		{"resolved", nil, list(down(parts.Active)), nil, nil, []string{"CDRTrunkDown " + trunk + " is resolved."}},
		{"what isn't told", nil, nil, list(about("CDREmergencyCall", "", "critical", parts.Firing), about("CDRUnmappedValues", "", "info", parts.Firing)), nil, nil},
		{"what wakes somebody", nil, nil, list(about("CDRFeedStale", "", "critical", parts.Pending)), nil, []string{"CDRFeedStale  is pending in Prometheus."}},
	} {
		got := changes(merge(c.prometheus, c.alertmanager), merge(c.prometheus2, c.alertmanager2))
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestMerge: what is about the trunk comes first, and an alert that both have is one.
func TestMerge(t *testing.T) {
	all := merge(
		[]parts.Alert{about("A", "", "warning", parts.Firing), about("Z", trunk, "critical", parts.Firing)},
		[]parts.Alert{about("Z", trunk, "critical", parts.Active), about("B", "", "info", parts.Active)},
	)
	var got []string
	for _, a := range all {
		got = append(got, fmt.Sprintf("%s %s %s", a.Name, a.Prometheus, a.Alertmanager))
	}
	if want := []string{"Z firing active", "A firing ", "B  active"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestHistory: it is bounded, and the newest comes first.
func TestHistory(t *testing.T) {
	var h history
	for n := range mostEvents + 3 {
		h.note(fmt.Sprint(n))
	}
	all := h.newest()
	if len(all) != mostEvents || all[0].Text != fmt.Sprint(mostEvents+2) || all[mostEvents-1].Text != "3" {
		t.Errorf("%d events, the newest %v", len(all), all[0])
	}
}
