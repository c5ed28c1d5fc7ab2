package web

import (
	"net/url"
	"slices"
	"time"
)

// choice is what the page is asked to show.
type choice struct {
	Source, Feed, State, SpanName filter
	Span                          span
}

// filter is a select element. Without a Chosen value it takes what Default says.
type filter struct {
	Name, Label, Default string
	Values               []string
	Chosen               string
}

// span is the time that the charts show, in bars of Step, with a label at each multiple of Label.
type span struct {
	Name                string
	Length, Step, Label time.Duration
}

// notOK is the value of the state filter that takes all states but ok.
const notOK = "not_ok"

// spans are at most 96 bars each; the first is shown without a choice.
func spans() []span {
	return []span{
		{"3h", 3 * time.Hour, ActivityStep, 30 * time.Minute},
		{"1h", time.Hour, ActivityStep, 15 * time.Minute},
		{"6h", 6 * time.Hour, ActivityStep, time.Hour},
		{"12h", 12 * time.Hour, 2 * ActivityStep, 2 * time.Hour},
		{"24h", ActivityKept, 3 * ActivityStep, 4 * time.Hour},
	}
}

// choose takes a query's values if the page offers them; no other text of a request gets onto the page.
func choose(query url.Values, status Status) choice {
	c := choice{
		Source:   filter{Name: "source", Label: "Source", Default: "All sources"},
		Feed:     filter{Name: "feed", Label: "Feed", Default: "All feeds"},
		State:    filter{Name: "state", Label: "State", Default: "Any state", Values: []string{notOK}},
		SpanName: filter{Name: "span", Label: "Charts", Default: spans()[0].Name},
		Span:     spans()[0],
	}
	for _, source := range status.Sources {
		c.Source.Values = append(c.Source.Values, source.Name)
		for _, feed := range source.Feeds {
			if !slices.Contains(c.Feed.Values, feed.Feed) {
				c.Feed.Values = append(c.Feed.Values, feed.Feed)
			}
		}
	}
	for _, state := range bySeverity() {
		c.State.Values = append(c.State.Values, string(state))
	}
	for _, s := range spans()[1:] {
		c.SpanName.Values = append(c.SpanName.Values, s.Name)
		if s.Name == query.Get("span") {
			c.Span = s
		}
	}
	for _, f := range []*filter{&c.Source, &c.Feed, &c.State, &c.SpanName} {
		if i := slices.Index(f.Values, query.Get(f.Name)); i >= 0 {
			f.Chosen = f.Values[i]
		}
	}
	return c
}

// Filters are the select elements of the page.
func (c choice) Filters() []filter { return []filter{c.Source, c.Feed, c.State, c.SpanName} }

// IsFiltered reports whether feeds may be left out.
func (c choice) IsFiltered() bool { return c.Source.Chosen+c.Feed.Chosen+c.State.Chosen != "" }

func (c choice) matches(source Source, feed Feed) bool {
	state := c.State.Chosen
	return (c.Source.Chosen == "" || c.Source.Chosen == source.Name) && (c.Feed.Chosen == "" || c.Feed.Chosen == feed.Feed) &&
		(state == "" || state == string(feed.State) || state == notOK && feed.State != StateOK)
}
