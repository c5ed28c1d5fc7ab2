package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

// alert is one as Prometheus and Alertmanager have it.
type alert struct {
	Name, Of, Summary string
	// Prometheus is pending or firing, Alertmanager active or suppressed; empty: it has none.
	Prometheus, Alertmanager string
	Since                    time.Time
	// ours says that it is about the trunk that the page lets fail.
	ours bool
}

// Clock is since when it holds.
func (a alert) Clock() string { return a.Since.Local().Format("15:04:05") }

// Held is Alertmanager's state in words.
func (a alert) Held() string {
	switch a.Alertmanager {
	case parts.Active:
		return "received"
	case parts.Suppressed:
		return "held back: another alert explains it"
	}
	return "not there"
}

// allAlerts asks Prometheus and Alertmanager.
func (s *stack) allAlerts(ctx context.Context) ([]alert, error) {
	fired, err := s.prometheus.Alerts(ctx)
	if err != nil {
		return nil, err
	}
	received, err := s.alerts.Received(ctx)
	if err != nil {
		return nil, err
	}
	return merge(fired, received), nil
}

// merge puts together what both say, sorted by name.
func merge(prometheus, alertmanager []parts.Alert) []alert {
	all := make(map[string]alert)
	for i := range alertmanager {
		key, a := describe(&alertmanager[i])
		a.Alertmanager = alertmanager[i].State
		all[key] = a
	}
	for i := range prometheus {
		key, a := describe(&prometheus[i])
		a.Prometheus, a.Alertmanager = prometheus[i].State, all[key].Alertmanager
		all[key] = a
	}
	var sorted []alert
	for _, key := range slices.Sorted(maps.Keys(all)) {
		sorted = append(sorted, all[key])
	}
	return sorted
}

// describe returns an alert with the key by which it is known to both.
func describe(x *parts.Alert) (key string, a alert) {
	var of []string
	for _, label := range []string{"source", "feed", "trunk", "sip_code", "direction", "currency", "country", "media", "field", "metric", "day"} {
		if value := x.Labels[label]; value != "" {
			of = append(of, value)
		}
	}
	a = alert{
		Name: x.Labels["alertname"], Of: strings.Join(of, " "), Summary: x.Annotations["summary"], Since: x.Since,
		ours: x.Labels["trunk"] == trunk,
	}
	return a.Name + " " + a.Of, a
}
