package stories

import (
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// Attempts are a trunk's last attempts in one direction.
type Attempts struct {
	// Results has a letter for each attempt, oldest first: c connected, f failed, o ended otherwise.
	Trunk, Results string
	Direction      cdr.Direction
	NoReasons      bool          // the feed doesn't say why a call didn't connect
	Newest         time.Duration // ago
	Since          time.Duration // how long ago their last run began; 0: a second before its next attempt
	Fault, Other   cdr.Record    // the records of the letters f and o
	Labels         cdr.Labels    // the operator's, of all but the oldest
}

// Results of a trunk that works, and of one that is down.
var (
	Good = strings.Repeat("cco", 21) + "c"
	Bad  = strings.Repeat("f", 64)
)

// Trunk has these results, of which the newest began a minute ago. Its failures have no reason.
func Trunk(name, results string) Attempts {
	return Attempts{
		Trunk: name, Results: results, Direction: cdr.Outbound, Newest: time.Minute,
		Fault: cdr.Record{Outcome: cdr.Failed}, Other: cdr.Record{Outcome: cdr.Busy},
	}
}

// Operator is a trunk of a feed that doesn't say why a call didn't connect.
func Operator(name, results string) Attempts {
	a := Trunk(name, results)
	a.NoReasons, a.Other.Outcome = true, cdr.NotConnected
	return a
}

// Failing is a trunk whose failures come from an expired certificate, and whose last run has a beginning.
func Failing(name, results string, since time.Duration) Attempts {
	a := Trunk(name, results)
	a.Since = since
	a.Fault = cdr.Record{
		Outcome: cdr.Failed, SIPCode: cdr.KnownInt(504), SubCode: cdr.KnownInt(569008),
		Reason: "certificate_expired", FaultDomain: cdr.FaultSBC,
	}
	return a
}

// Because is a trunk whose failures have another reason.
func (a Attempts) Because(code int64, reason string, domain cdr.FaultDomain) Attempts {
	a.Fault = cdr.Record{Outcome: cdr.Failed, SIPCode: cdr.KnownInt(code), Reason: reason, FaultDomain: domain}
	return a
}

// Counted are the attempts of a feed as they are kept when they are counted.
func Counted(source, feed string, trunks ...Attempts) (all []metrics.LastAttempts) {
	for i := range trunks {
		all = append(all, trunks[i].counted(source, feed))
	}
	return all
}

func (a *Attempts) counted(source, feed string) metrics.LastAttempts {
	series := metrics.NewFeed(source, "p", feed, true)
	series.NoReasons = a.NoReasons
	store := metrics.NewStore(metrics.Options{SeriesLimit: 10}, time.Now)
	store.Active(series, true)
	changes := store.Begin(series, Now)
	for i := range a.Results {
		r := cdr.Record{Outcome: cdr.Answered}
		switch a.Results[i] {
		case 'f':
			r = a.Fault
		case 'o':
			r = a.Other
		}
		r.Trunk, r.Direction, r.Start = a.Trunk, a.Direction, a.start(i)
		if i > 0 {
			r.Labels = a.Labels
		}
		changes.Add(&facts.Fact{Kind: facts.Attempt, Record: &r})
	}
	changes.Apply(nil)
	return store.LastAttempts()[0]
}

// start is when an attempt began: one a second, and the last run since Since.
func (a *Attempts) start(i int) time.Time {
	before := len(strings.TrimRight(a.Results, a.Results[len(a.Results)-1:])) // the last run
	if a.Since > 0 && i <= before {
		return Now.Add(-a.Since - time.Duration(before-i)*time.Second)
	}
	return Now.Add(-a.Newest - time.Duration(len(a.Results)-1-i)*time.Second)
}

// Reading is a feed that is read up to now.
func Reading(trunks ...Attempts) web.Feed {
	return web.Feed{
		Feed: "direct_routing", State: web.StateOK, Watermark: Ago(time.Minute), LastSuccess: Ago(time.Minute),
		Trunks: Counted("contoso", "direct_routing", trunks...),
	}
}

// In is a feed in a state that is read up to some time ago.
func In(state web.State, behind time.Duration, problem string, trunks ...Attempts) web.Feed {
	f := Reading(trunks...)
	f.State, f.Watermark, f.LastError = state, Ago(behind), problem
	return f
}

// Account is a backend with one source, an account of Microsoft, with these feeds.
func Account(feeds ...web.Feed) *Backend {
	return &Backend{
		Shown: web.Status{
			Sources: []web.Source{{Name: "contoso", Provider: "msgraph", Feeds: feeds}},
			OTLP:    web.OTLP{State: web.OTLPOff}, Ledger: web.Ledger{SizeBytes: 123456789, Series: 312},
		},
		OnActivity: steadyActivity,
	}
}
