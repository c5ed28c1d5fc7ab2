package web

import (
	"net/url"
	"slices"
	"time"
)

// choice is what the page is asked to show.
type choice struct {
	Source, Feed, State filter
	Span                span
}

// filter is a select element. Without a Chosen value it takes everything.
type filter struct {
	Name, Label, All string
	Values           []string
	Chosen           string
}

// span is the time that the charts show, in bars of Step, with a label at each multiple of Label.
type span struct {
	Name                string
	Length, Step, Label time.Duration
}

// notOK is the value of the state filter that takes all states but ok.
const notOK = "trouble"

// defaultSpan is the index of the span that is shown without a choice.
const defaultSpan = 1

// spans are at most 96 bars each.
func spans() []span {
	return []span{
		{"1h", time.Hour, ActivityStep, 15 * time.Minute},
		{"3h", 3 * time.Hour, ActivityStep, 30 * time.Minute},
		{"6h", 6 * time.Hour, ActivityStep, time.Hour},
		{"12h", 12 * time.Hour, 2 * ActivityStep, 2 * time.Hour},
		{"24h", ActivityKept, 3 * ActivityStep, 4 * time.Hour},
	}
}

// choose takes a query's values if the page offers them; no other text of a request gets onto the page.
func choose(query url.Values, status Status) choice {
	c := choice{
		Source: filter{Name: "source", Label: "Source", All: "All sources"},
		Feed:   filter{Name: "feed", Label: "Feed", All: "All feeds"},
		State:  filter{Name: "state", Label: "State", All: "Any state", Values: []string{notOK}},
		Span:   spans()[defaultSpan],
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
	for _, f := range []*filter{&c.Source, &c.Feed, &c.State} {
		if i := slices.Index(f.Values, query.Get(f.Name)); i >= 0 {
			f.Chosen = f.Values[i]
		}
	}
	if i := slices.IndexFunc(spans(), func(s span) bool { return s.Name == query.Get("span") }); i >= 0 {
		c.Span = spans()[i]
	}
	return c
}

// Text is a value as the select element shows it.
func (f filter) Text(value string) string {
	switch {
	case f.Name != "state":
		return value
	case value == notOK:
		return "not ok"
	default:
		return stateText(value)
	}
}

func (c choice) matches(source Source, feed Feed) bool {
	state := c.State.Chosen
	return (c.Source.Chosen == "" || c.Source.Chosen == source.Name) && (c.Feed.Chosen == "" || c.Feed.Chosen == feed.Feed) &&
		(state == "" || state == string(feed.State) || state == notOK && feed.State != StateOK)
}

// Filters reports whether a filter is set.
func (c choice) Filters() bool { return c.Source.Chosen+c.Feed.Chosen+c.State.Chosen != "" }

// Spans are those that the page links to.
func (c choice) Spans() []span { return spans() }

// IsDefault reports whether the span needs no mention in the page's address.
func (s span) IsDefault() bool { return s.Name == spans()[defaultSpan].Name }

// Title is the length in words.
func (s span) Title() string { return spanText(s.Length) }

// Bars is the length of a bar in words.
func (s span) Bars() string { return spanText(s.Step) }

// Link is the page's address with this choice and another span.
func (c choice) Link(s span) string {
	query := url.Values{}
	for _, f := range []filter{c.Source, c.Feed, c.State} {
		if f.Chosen != "" {
			query.Set(f.Name, f.Chosen)
		}
	}
	if !s.IsDefault() {
		query.Set("span", s.Name)
	}
	if len(query) == 0 {
		return "./"
	}
	return "./" + "?" + query.Encode()
}

// Unfiltered is the page's address without filters.
func (c choice) Unfiltered() string { return choice{}.Link(c.Span) }
