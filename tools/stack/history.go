package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

// event is something that happened.
type event struct {
	At   time.Time
	Text string
}

// Clock is its time of day.
func (e event) Clock() string { return e.At.Format("15:04:05") }

// history is what has happened lately. It is safe for concurrent use.
type history struct {
	mu     sync.Mutex
	events []event // guarded by mu; the oldest first
}

// mostEvents bounds it.
const mostEvents = 60

func (h *history) note(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event{time.Now(), text})
	h.events = h.events[max(0, len(h.events)-mostEvents):]
}

// newest are the events, the newest first.
func (h *history) newest() []event {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Clone(h.events)
	slices.Reverse(all)
	return all
}

// alert is one as Prometheus and Alertmanager have it.
type alert struct {
	Name, Of, Severity, Summary string
	// Prometheus is pending or firing, Alertmanager active or suppressed; empty: it has
	// none.
	Prometheus, Alertmanager string
	Since                    time.Time
	// ours says that it is about the trunk that the page lets fail.
	ours bool
}

// noted says whether the history tells of it: simulated people call emergency services and
// providers use new values all the time.
func (a alert) noted() bool {
	return a.ours || a.Severity == "critical" && !strings.HasPrefix(a.Name, "CDREmergency")
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

// merge puts what both say together: what is about our trunk first.
func merge(prometheus, alertmanager []parts.Alert) []alert {
	all := make(map[string]alert)
	for i := range prometheus {
		a := described(&prometheus[i])
		a.Prometheus, a.Since = prometheus[i].State, prometheus[i].Since
		all[a.key()] = a
	}
	for i := range alertmanager {
		a := described(&alertmanager[i])
		if known, ok := all[a.key()]; ok {
			a = known
		} else {
			a.Since = alertmanager[i].Since
		}
		a.Alertmanager = alertmanager[i].State
		all[a.key()] = a
	}
	return slices.SortedFunc(maps.Values(all), func(a, b alert) int {
		if a.ours != b.ours {
			if a.ours {
				return -1
			}
			return 1
		}
		return strings.Compare(a.key(), b.key())
	})
}

func described(x *parts.Alert) alert {
	var of []string
	for _, label := range []string{"source", "feed", "trunk", "sip_code", "direction", "currency", "country", "media", "field", "metric", "day"} {
		if value := x.Labels[label]; value != "" {
			of = append(of, value)
		}
	}
	return alert{
		Name: x.Labels["alertname"], Of: strings.Join(of, " "), Severity: x.Labels["severity"], Summary: x.Annotations["summary"],
		ours: x.Labels["trunk"] == trunk,
	}
}

func (a alert) key() string { return a.Name + " " + a.Of }

// changes are what became of alerts between two looks, in words.
func changes(before, now []alert) []string {
	was, is := byKey(before), byKey(now)
	var all []string
	for _, a := range now {
		b := was[a.key()]
		if !a.noted() {
			continue
		}
		if a.Prometheus != b.Prometheus {
			switch a.Prometheus {
			case parts.Pending:
				all = append(all, a.key()+" is pending in Prometheus.")
			case parts.Firing:
				all = append(all, a.key()+" fires in Prometheus.")
			default:
				all = append(all, a.key()+" no longer holds in Prometheus.")
			}
		}
		if a.Alertmanager != b.Alertmanager && a.Alertmanager != "" {
			all = append(all, fmt.Sprintf("%s in Alertmanager: %s.", a.key(), a.Held()))
		}
	}
	for _, b := range before {
		if _, there := is[b.key()]; !there && b.noted() {
			all = append(all, b.key()+" is resolved.")
		}
	}
	return all
}

func byKey(list []alert) map[string]alert {
	all := make(map[string]alert, len(list))
	for _, a := range list {
		all[a.key()] = a
	}
	return all
}
