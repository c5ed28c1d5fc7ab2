package web

import "fmt"

// filterView is the form that chooses feeds, and the links that choose the span.
type filterView struct {
	Source, Feed, State []option
	// Span is the chosen one, empty if it is the usual one.
	Span  string
	Spans []spanView
	// Shown says how many feeds are shown of how many; empty if nothing is left out.
	Shown      string
	Filters    bool
	Unfiltered string
}

type option struct {
	Value, Text string
	Selected    bool
}

type spanView struct {
	Text, Name, Link string
	Current          bool
}

func filterOf(shown content) filterView {
	c, status := shown.choice, shown.status
	v := filterView{
		Source:  options("All sources", sourceNames(status), c.source, plain),
		Feed:    options("All feeds", feedNames(status), c.feed, plain),
		State:   options("Any state", append([]string{troubled}, stateNames()...), c.state, stateChoice),
		Filters: c.filters(), Unfiltered: c.unfiltered().link(),
	}
	if c.span.Name != usualSpan {
		v.Span = c.span.Name
	}
	for _, s := range spans() {
		v.Spans = append(v.Spans, spanView{
			Text: spanText(s.Length), Name: s.Name, Link: c.with(s).link(), Current: s.Name == c.span.Name,
		})
	}
	if c.filters() {
		taken, all := countTaken(shown)
		v.Shown = fmt.Sprintf("%d of %s shown.", taken, countedText(int64(all), "feed", "feeds"))
	}
	return v
}

func countTaken(shown content) (taken, all int) {
	for _, source := range shown.status.Sources {
		for _, feed := range source.Feeds {
			all++
			if shown.choice.takes(source, feed) {
				taken++
			}
		}
	}
	return taken, all
}

func options(all string, values []string, chosen string, text func(string) string) []option {
	list := []option{{Text: all, Selected: chosen == ""}}
	for _, value := range values {
		list = append(list, option{Value: value, Text: text(value), Selected: value == chosen})
	}
	return list
}

func plain(value string) string { return value }

// stateChoice is the text of a state that can be chosen.
func stateChoice(state string) string {
	if state == troubled {
		return "not ok"
	}
	return stateText(state)
}
