package web

import "time"

// view is what page.html fills in: texts, ready to be read.
type view struct {
	Links                        links
	Version, Summary, Worst, Now string
	Filter                       filterView
	Sources                      []sourceView
	Charts                       chartsView
	OTLP                         otlpView
	Store                        storeView
}

type sourceView struct {
	Name, Provider, Budget, Subscription string
	Feeds                                []feedView
}

type feedView struct {
	Feed, Reads, State, StateText           string
	Watermark, Delay, LastSuccess, NextRead cell
	Records, Series, Work, Newest           string
	Problem                                 problemView
}

type otlpView struct {
	State, StateText string
	Off              bool
	Records, Oldest  string
	Problem          problemView
}

type storeView struct {
	Series, Overflow, Size string
	Overflowing            bool
}

// cell is a value with a note beside it.
type cell struct{ Main, Note string }

// problemView is an error with what to do about it. Without one, What says so.
type problemView struct {
	What, Advice, Note string
	None               bool
}

func (p *page) view(shown content) view {
	status, now := shown.status, time.Time(shown.status.Now)
	text, worst := summary(status)
	v := view{
		Links: p.links, Version: status.Version, Summary: text, Worst: string(worst), Now: clockText(now),
		Filter: filterOf(shown), Charts: p.charts(shown), OTLP: otlpOf(status.OTLP, now), Store: storeOf(status.Ledger),
	}
	for _, source := range status.Sources {
		one := sourceView{
			Name: source.Name, Provider: source.Provider, Budget: budgetText(source.Budget, now),
			Subscription: subscriptionText(source.Subscription, now),
		}
		for _, feed := range source.Feeds {
			if shown.choice.takes(source, feed) {
				one.Feeds = append(one.Feeds, feedOf(feed, now))
			}
		}
		if len(one.Feeds) > 0 {
			v.Sources = append(v.Sources, one)
		}
	}
	return v
}

func feedOf(feed Feed, now time.Time) feedView {
	v := feedView{
		Feed: feed.Feed, Reads: readsText(feed.Reads), State: string(feed.State), StateText: stateText(string(feed.State)),
		Watermark:   past(feed.Watermark, now, "not yet"),
		Delay:       delayCell(feed.Delay),
		LastSuccess: past(feed.LastSuccess, now, "never"),
		NextRead:    coming(feed.NextRead, now, "–"),
		Records:     countText(feed.Records),
		Series:      seriesText(feed),
		Work:        workText(feed),
		Problem:     problem(feed.LastError, feed.Advice, feed.LastErrorAt, now),
	}
	if feed.Snapshot {
		v.Records, v.Work = "–", inProgressText(feed.InProgress)
	}
	if !feed.NewestCall.IsZero() {
		v.Newest = "newest call " + spanText(now.Sub(time.Time(feed.NewestCall))) + " ago"
	}
	return v
}

func otlpOf(otlp OTLP, now time.Time) otlpView {
	v := otlpView{
		State: string(otlp.State), StateText: stateText(string(otlp.State)), Off: otlp.State == OTLPOff,
		Records: countText(otlp.OutboxRecords),
		Problem: problem(otlp.LastError, otlp.Advice, Time{}, now),
	}
	if !otlp.Oldest.IsZero() {
		v.Oldest = "oldest " + spanText(now.Sub(time.Time(otlp.Oldest))) + " ago"
	}
	return v
}

func storeOf(l Ledger) storeView {
	v := storeView{
		Series: countText(int64(l.Series)), Overflow: overflowText(l.SeriesOverflow), Overflowing: l.SeriesOverflow > 0, Size: "–",
	}
	if l.SizeBytes > 0 {
		v.Size = bytesText(l.SizeBytes)
	}
	return v
}

// past is how long ago an instant was, and the instant.
func past(at Time, now time.Time, empty string) cell {
	if at.IsZero() {
		return cell{Main: empty}
	}
	t := time.Time(at)
	return cell{Main: spanText(now.Sub(t)) + " ago", Note: nearText(t, now)}
}

// coming is how long it is until an instant, and the instant.
func coming(at Time, now time.Time, empty string) cell {
	if at.IsZero() {
		return cell{Main: empty}
	}
	t := time.Time(at)
	main := "due"
	if left := t.Sub(now); left >= time.Second {
		main = "in " + spanText(left)
	}
	return cell{Main: main, Note: nearText(t, now)}
}

func problem(what, advice string, at Time, now time.Time) problemView {
	if what == "" {
		return problemView{What: "none", None: true}
	}
	view := problemView{What: what, Advice: advice}
	if !at.IsZero() {
		view.Note = spanText(now.Sub(time.Time(at))) + " ago"
	}
	return view
}
