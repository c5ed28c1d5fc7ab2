package web

import (
	"html/template"
	"time"
)

// view is what page.html fills in: texts, ready to be read.
type view struct {
	Style  template.CSS
	Script template.JS

	Version, Summary, Worst, Now    string
	Metrics, Status, Healthy, Ready string
	Sources                         []sourceView
	OTLP                            otlpView
}

type sourceView struct {
	Name, Provider string
	Feeds          []feedView
}

type feedView struct {
	Feed, State, StateText           string
	Watermark, LastSuccess, NextRead cell
	Records                          string
	Problem                          problemView
}

type otlpView struct {
	State, StateText string
	Records          string
	Oldest           cell
	Problem          problemView
}

// cell is a value with a note beside it. Empty is the text of a value that is
// missing; page.js needs it too.
type cell struct{ Main, Note, Empty string }

// problemView is an error with what to do about it.
type problemView struct {
	What, Advice, Note, Empty string
}

func (p *page) view(status Status) view {
	now := time.Time(status.Now)
	text, worst := summary(status)
	v := view{
		// The page's own files, so that they may be set as they are.
		Style: template.CSS(pageCSS), Script: template.JS(pageJS),
		Version: status.Version, Summary: text, Worst: string(worst), Now: clockText(now),
		Metrics: p.metrics, Status: relative(pathStatus),
		Healthy: relative(pathHealthy), Ready: relative(pathReady),
		OTLP: otlpOf(status.OTLP, now),
	}
	for _, source := range status.Sources {
		one := sourceView{Name: source.Name, Provider: source.Provider}
		for _, feed := range source.Feeds {
			one.Feeds = append(one.Feeds, feedOf(feed, now))
		}
		v.Sources = append(v.Sources, one)
	}
	return v
}

func feedOf(feed Feed, now time.Time) feedView {
	return feedView{
		Feed: feed.Feed, State: string(feed.State), StateText: stateText(string(feed.State)),
		Watermark:   past(feed.Watermark, now, "not yet"),
		LastSuccess: past(feed.LastSuccess, now, "never"),
		NextRead:    coming(feed.NextRead, now, "–"),
		Records:     countText(feed.Records),
		Problem:     problem(feed.LastError, feed.Advice, feed.LastErrorAt, now),
	}
}

func otlpOf(otlp OTLP, now time.Time) otlpView {
	return otlpView{
		State: string(otlp.State), StateText: stateText(string(otlp.State)),
		Records: countText(otlp.OutboxRecords),
		Oldest:  past(otlp.Oldest, now, "–"),
		Problem: problem(otlp.LastError, otlp.Advice, Time{}, now),
	}
}

// past is how long ago an instant was, and the instant.
func past(at Time, now time.Time, empty string) cell {
	if at.IsZero() {
		return cell{Main: empty, Empty: empty}
	}
	t := time.Time(at)
	return cell{Main: spanText(now.Sub(t)) + " ago", Note: clockText(t), Empty: empty}
}

// coming is how long it is until an instant, and the instant.
func coming(at Time, now time.Time, empty string) cell {
	if at.IsZero() {
		return cell{Main: empty, Empty: empty}
	}
	t := time.Time(at)
	main := "due"
	if left := t.Sub(now); left >= time.Second {
		main = "in " + spanText(left)
	}
	return cell{Main: main, Note: clockText(t), Empty: empty}
}

func problem(what, advice string, at Time, now time.Time) problemView {
	if what == "" {
		return problemView{What: "none", Empty: "none"}
	}
	view := problemView{What: what, Advice: advice, Empty: "none"}
	if !at.IsZero() {
		view.Note = spanText(now.Sub(time.Time(at))) + " ago"
	}
	return view
}
