package web

import (
	"net/url"
	"slices"
	"time"
)

// span is how much time the charts show: Length, in bars of Step, with a label at each
// multiple of Label.
type span struct {
	Name                string
	Length, Step, Label time.Duration
}

// spans are those that can be chosen. A chart has at most 96 bars.
func spans() []span {
	return []span{
		{"1h", time.Hour, ActivityStep, 15 * time.Minute},
		{"3h", 3 * time.Hour, ActivityStep, 30 * time.Minute},
		{"6h", 6 * time.Hour, ActivityStep, time.Hour},
		{"12h", 12 * time.Hour, 2 * ActivityStep, 2 * time.Hour},
		{"24h", ActivityKept, 3 * ActivityStep, 4 * time.Hour},
	}
}

// usualSpan is shown unless another is chosen.
const usualSpan = "3h"

// troubled is the choice of all states but ok.
const troubled = "trouble"

// choice is what the page is asked to show. An empty value takes everything.
type choice struct {
	source, feed, state string
	span                span
}

// choose takes from a query what the page offers, and nothing else: no text of a
// request gets onto the page.
func choose(query url.Values, status Status) choice {
	states := append([]string{troubled}, stateNames()...)
	return choice{
		source: offered(query.Get("source"), sourceNames(status)),
		feed:   offered(query.Get("feed"), feedNames(status)),
		state:  offered(query.Get("state"), states),
		span:   spanOf(query.Get("span")),
	}
}

func offered(value string, values []string) string {
	if i := slices.Index(values, value); i >= 0 {
		return values[i]
	}
	return ""
}

func spanOf(name string) span {
	all := spans()
	i := slices.IndexFunc(all, func(s span) bool { return s.Name == name })
	if i < 0 {
		return spanOf(usualSpan)
	}
	return all[i]
}

func stateNames() []string {
	var names []string
	for _, state := range bySeverity() {
		names = append(names, string(state))
	}
	return names
}

func sourceNames(status Status) []string {
	var names []string
	for _, source := range status.Sources {
		names = append(names, source.Name)
	}
	return names
}

// feedNames are the names of all sources' feeds, each once.
func feedNames(status Status) []string {
	var names []string
	for _, source := range status.Sources {
		for _, feed := range source.Feeds {
			if !slices.Contains(names, feed.Feed) {
				names = append(names, feed.Feed)
			}
		}
	}
	return names
}

// takes says whether a feed is among what is asked for.
func (c choice) takes(source Source, feed Feed) bool {
	return (c.source == "" || c.source == source.Name) && (c.feed == "" || c.feed == feed.Feed) &&
		(c.state == "" || c.state == string(feed.State) || c.state == troubled && feed.State != StateOK)
}

// filters says whether it could leave something out.
func (c choice) filters() bool { return c.source != "" || c.feed != "" || c.state != "" }

// link is the page's address with this choice.
func (c choice) link() string {
	query := url.Values{}
	for name, value := range map[string]string{"source": c.source, "feed": c.feed, "state": c.state} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if c.span.Name != usualSpan {
		query.Set("span", c.span.Name)
	}
	if len(query) == 0 {
		return relative(pathPage)
	}
	return relative(pathPage) + "?" + query.Encode()
}

// with is the same choice with another span.
func (c choice) with(s span) choice {
	c.span = s
	return c
}

// unfiltered is the same span of everything.
func (c choice) unfiltered() choice { return choice{span: c.span} }
