package web

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
)

// view is what the templates show: the status, and what needs more than a function of one value.
type view struct {
	Status

	// MetricsPath is the path of the metrics.
	MetricsPath string

	Summary string
	Worst   State
	Choice  choice
	// Shown says how many feeds match the filter; empty without a filter.
	Shown  string
	Charts chartsView
}

// cell is a value with a note beside it.
type cell struct{ Main, Note string }

// problem is an error with what to do about it; What says so if there is none.
type problem struct {
	What, Advice, Note string
	None               bool
}

// functions are those of the templates.
func functions() template.FuncMap {
	return template.FuncMap{
		"span": spanText, "clock": func(t Time) string { return clockText(time.Time(t)) }, "time": timeText,
		"count": countText, "size": sizeText, "words": stateText, "work": workText, "overflow": overflowText,
		"series": func(n int64) string { return countedText(n, "series", "series") },
	}
}

// newView is a view without links and charts.
func newView(status Status, c choice) view {
	v := view{Status: status, Choice: c}
	v.Sources = nil
	v.Summary, v.Worst = summary(status)
	all, matching := 0, 0
	for _, source := range status.Sources {
		all += len(source.Feeds)
		source.Feeds = slices.DeleteFunc(slices.Clone(source.Feeds), func(f Feed) bool { return !c.matches(source, f) })
		matching += len(source.Feeds)
		if len(source.Feeds) > 0 {
			v.Sources = append(v.Sources, source)
		}
	}
	if c.IsFiltered() {
		v.Shown = fmt.Sprintf("%d of %s shown.", matching, countedText(int64(all), "feed", "feeds"))
	}
	return v
}

// bySeverity are the states of a feed, worst first.
func bySeverity() []State {
	return []State{StateError, StateThrottled, StateCatchingUp, StateOK}
}

// summary is the page's one sentence, and the worst state for its colour. It holds no time, since screen readers announce each change.
func summary(status Status) (text string, worst State) {
	counts, feeds := map[State]int{}, int64(0)
	for _, source := range status.Sources {
		for _, feed := range source.Feeds {
			counts[feed.State]++
			feeds++
		}
	}
	text = "Ready."
	if !status.Ready {
		text = "Not ready: " + strings.TrimSuffix(status.NotReady, ".") + "."
	}
	if feeds == 0 {
		return text + " No feeds yet.", ""
	}
	var parts []string
	for _, state := range bySeverity() {
		if counts[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[state], stateText(string(state))))
			if worst == "" {
				worst = state
			}
		}
	}
	return text + " " + countedText(feeds, "feed", "feeds") + ": " + strings.Join(parts, ", ") + ".", worst
}

// Since is how long ago an instant was.
func (v view) Since(at Time) string { return spanText(time.Time(v.Now).Sub(time.Time(at))) + " ago" }

// At is an instant, without its day if that is today.
func (v view) At(at Time) string {
	text := clockText(time.Time(at))
	if day := clockText(time.Time(v.Now))[:11]; strings.HasPrefix(text, day) {
		return text[len(day):]
	}
	return text
}

// Past is how long ago an instant was, and the instant.
func (v view) Past(at Time, empty string) cell {
	if at.IsZero() {
		return cell{Main: empty}
	}
	return cell{Main: v.Since(at), Note: v.At(at)}
}

// Next is how long it is until an instant, and the instant.
func (v view) Next(at Time) cell {
	switch left := time.Time(at).Sub(time.Time(v.Now)); {
	case at.IsZero():
		return cell{Main: "–"}
	case left < time.Second:
		return cell{Main: "due", Note: v.At(at)}
	default:
		return cell{Main: "in " + spanText(left), Note: v.At(at)}
	}
}

// Problem is an error and when it happened.
func (v view) Problem(what, advice string, at ...Time) problem {
	if what == "" {
		return problem{What: "none", None: true}
	}
	p := problem{What: what, Advice: advice}
	if len(at) > 0 && !at[0].IsZero() {
		p.Note = v.Since(at[0])
	}
	return p
}

// BudgetText is what is left of a provider's limit.
func (v view) BudgetText(b *Budget) string {
	limit, window := countText(int64(b.Limit)), countText(b.WindowSeconds)
	text := fmt.Sprintf("at most %s requests per %s s", limit, window)
	if b.Remaining != nil {
		text = fmt.Sprintf("%s of %s requests left (limit per %s s)", countText(int64(*b.Remaining)), limit, window)
	}
	if b.Group != "" {
		text = b.Group + ": " + text
	}
	if !b.FrozenUntil.IsZero() {
		text += ", throttled until " + v.At(b.FrozenUntil)
	}
	return text
}

// SubscriptionText says until when the provider notifies us, and when it last did.
func (v view) SubscriptionText(s *Subscription) string {
	text := "not subscribed"
	if !s.Expires.IsZero() {
		text = "subscribed until " + v.At(s.Expires)
	}
	if !s.LastNotification.IsZero() {
		text += ", last notification " + v.Since(s.LastNotification)
	}
	return text
}
