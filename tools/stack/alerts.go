package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

// alert is an alert with its state in Prometheus and in Alertmanager.
type alert struct {
	Name, Of, Summary string
	// Prometheus is pending or firing, Alertmanager active or suppressed; empty without one.
	Prometheus, Alertmanager string
	Since                    time.Time
	// others is 0 for alerts about the trunk that the page can stop; these come first.
	others int
}

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

// merge combines the alerts of both: the trunk's alerts first, each part sorted by name.
func merge(prometheus, alertmanager []parts.Alert) []alert {
	all := make(map[string]alert)
	for i := range alertmanager {
		a := describe(&alertmanager[i])
		a.Alertmanager = alertmanager[i].State
		all[a.Name+a.Of] = a
	}
	for i := range prometheus {
		a := describe(&prometheus[i])
		a.Prometheus, a.Alertmanager = prometheus[i].State, all[a.Name+a.Of].Alertmanager
		all[a.Name+a.Of] = a
	}
	return slices.SortedFunc(maps.Values(all), func(a, b alert) int {
		return cmp.Or(cmp.Compare(a.others, b.others), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Of, b.Of))
	})
}

func describe(x *parts.Alert) alert {
	a := alert{Name: x.Labels["alertname"], Summary: x.Annotations["summary"], Since: x.Since}
	if x.Labels["trunk"] != trunk {
		a.others = 1
	}
	var of []string
	for _, label := range []string{
		"source", "feed", "trunk", "sip_code", "direction", "currency", "country", "media",
		"field", "metric", "day",
	} {
		if value := x.Labels[label]; value != "" {
			of = append(of, value)
		}
	}
	a.Of = strings.Join(of, " ")
	return a
}
