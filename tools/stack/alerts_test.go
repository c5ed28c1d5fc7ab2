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

// TestMerge: an alert that both have becomes one. The trunk's alerts come first.
func TestMerge(t *testing.T) {
	all := merge(
		[]parts.Alert{about("A", "", "warning", "firing"), about("Z", trunk, "critical", "firing")},
		[]parts.Alert{about("Z", trunk, "critical", "active"), about("B", "", "info", "active")},
	)
	var got []string
	for _, a := range all {
		got = append(got, fmt.Sprintf("%s %s %s", a.Name, a.Prometheus, a.Alertmanager))
	}
	if want := []string{"Z firing active", "A firing ", "B  active"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
