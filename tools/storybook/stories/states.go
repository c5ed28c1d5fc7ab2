package stories

import (
	"context"
	"errors"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
)

// feeds has a story for each state of a feed.
func feeds() []Story {
	works := Trunk("sbc1.example.com", Good)
	forbidden := In(web.StateError, 70*time.Minute, "Microsoft refuses the credentials (403 Forbidden)", works)
	forbidden.Advice = "Grant CallRecords.Read.All as an application permission, then have an administrator consent."
	records := Reading()
	records.Feed, records.Waiting, records.SetAside = "call_records", new(1200), new(3)
	records.Unread = []string{
		"2026-03-29T08:00:00Z/2026-03-29T09:00:00Z (2 of 5 rows)", "2026-03-28T08:00:00Z/2026-03-28T08:00:01Z",
	}
	setAside := Account(Reading(works), records)
	setAside.Shown.Sources[0].Subscription = &web.Subscription{Feed: "call_records"}
	throttled := Account(In(web.StateThrottled, time.Hour, "429 Too Many Requests", works))
	throttled.Shown.Sources[0].Budget = &web.Budget{
		Group: "heavy", Limit: 10, Remaining: new(0), WindowSeconds: 60, FrozenUntil: Ago(-33 * time.Second),
	}
	return []Story{
		{"feed-error", "A feed can't be read, and the page says what to do.", Account(forbidden)},
		{
			"catching-up", "One feed reads older calls first, another one is up to date.",
			Account(In(web.StateCatchingUp, 70*time.Minute, "", works), Reading(Trunk("sbc2.example.com", Good))),
		},
		{"throttled", "The provider has throttled the account for an hour.", throttled},
		{"set-aside", "Time ranges and records that couldn't be read are tried again later.", setAside},
		{
			"calls-in-progress", "A feed shows only the calls in progress.",
			Account(Reading(works), web.Feed{
				Feed: "active_calls", State: web.StateOK, Snapshot: true, InProgress: new(7),
				Watermark: Ago(time.Minute), LastSuccess: Ago(time.Minute),
			}),
		},
	}
}

// totals has stories of what providers list and audits find.
func totals() []Story {
	of := func(days ...daily.Totals) *Backend {
		feed := Reading(Trunk("sbc1.example.com", Good))
		feed.DailyTotals = days
		return Account(feed)
	}
	audited := daily.Audit{Day: Day(2), Began: Now.Add(-time.Hour), Listed: 39871}
	agreed := of(
		daily.Totals{Day: Day(1), Counted: daily.Counted{
			Records: 41203, Late: 12, Revised: 3,
			Charges: cdr.Amounts{"EUR": Money("812.5"), "USD": Money("1")},
			Total:   &daily.ProviderTotal{Theirs: 41203, Ours: 41203},
		}},
		daily.Totals{Day: Day(2), Counted: daily.Counted{Records: 39871}, Audit: &audited},
	)
	agreed.Shown.Sources[0].Feeds[0].Audit = &audited
	missed := daily.Audit{Day: Day(2), Began: Now.Add(-time.Hour), Listed: 40002, Missing: 2}
	missing := of(
		daily.Totals{Day: Day(1), Counted: daily.Counted{
			Records: 41203, Total: &daily.ProviderTotal{Theirs: 41205, Ours: 41203},
		}},
		daily.Totals{Day: Day(2), Counted: daily.Counted{Records: 40000}, Audit: &missed},
	)
	missing.Shown.Sources[0].Feeds[0].Audit = &missed
	return []Story{
		{"totals-agree", "All records that the provider lists are counted.", agreed},
		{"records-missing", "An audit and the provider's total say that records are missing.", missing},
		{
			"amounts-differ", "The counted charges differ from the provider's sum.",
			of(daily.Totals{Day: Day(1), Counted: daily.Counted{
				Records: 5, Charges: cdr.Amounts{"EUR": Money("812.5"), "USD": Money("1")},
				Total: &daily.ProviderTotal{Theirs: 5, Ours: 5, Charges: new(Money("813")), Currency: "EUR"},
			}}),
		},
		{
			"not-compared", "No provider gives a total, and nothing was audited.",
			of(
				daily.Totals{Day: Day(1), Counted: daily.Counted{Records: 5}},
				daily.Totals{Day: Day(2), Incomplete: true},
			),
		},
	}
}

// surroundings has stories of the ledger, the delivery, the configuration and other replicas.
func surroundings() []Story {
	works := func() *Backend { return Account(Reading(Trunk("sbc1.example.com", Good))) }
	refused, full, folded, reload, unreadable := works(), works(), works(), works(), works()
	refused.Shown.OTLP = web.OTLP{
		OutboxRecords: 12000, OutboxSpans: 340, Oldest: Ago(90 * time.Minute), State: web.OTLPError,
		LastError: "503 Service Unavailable",
	}
	full.Shown.OTLP = web.OTLP{
		OutboxRecords: 1000000, Oldest: Ago(50 * time.Hour), State: web.OTLPFull,
		LastError: "dial tcp 10.0.0.9:4318: connect: connection refused",
	}
	const noRoom = "write to the ledger: database or disk is full (13)"
	stopped := Account(In(web.StateError, 5*time.Minute, noRoom, Trunk("sbc1.example.com", Good)))
	stopped.NotReady, stopped.Shown.Ledger.Problem = noRoom, noRoom
	folded.Shown.Ledger.Series, folded.Shown.Ledger.SeriesOverflow = 10000, 1234567
	folded.Shown.OTLP = web.OTLP{State: web.OTLPOK}
	reload.Shown.ConfigProblem = "config.yaml:7: sources[0].name: must be unique\n" +
		"config.yaml:9: sources[1].msgraph.tenant_id: must be set"
	unreadable.OnActivity = func(context.Context, time.Time) ([]web.Activity, error) {
		return nil, errors.New("the disk is gone")
	}
	elsewhere := web.Feed{
		Feed: "pstn", State: web.StateElsewhere, ReadBy: "cdr-0", Watermark: Ago(time.Minute), Records: 1234,
	}
	unowned := web.Feed{
		Feed: "pstn", State: web.StateUnowned, Watermark: Ago(time.Minute), LastError: "no replica reads the feed",
	}
	joining := Replicas()
	joining.NotReady, joining.OnActivity = "the other replicas don't know this one yet", nil
	return []Story{
		{"delivery-fails", "The OTLP endpoint refuses what waits in the outbox.", refused},
		{"outbox-full", "The outbox is full: the OTLP endpoint has been gone for days.", full},
		{"ledger-full", "Nothing can be written to the ledger.", stopped},
		{"series-folded", "There are more metric series than the limit allows.", folded},
		{"reload-failed", "The newest configuration is wrong, and the one before is in force.", reload},
		{"chart-unreadable", "The calls of the chart can't be read.", unreadable},
		{"replicas", "Two replicas share the feeds.", Replicas(elsewhere, Reading(Trunk("sbc1.example.com", Good)))},
		{"read-elsewhere", "Another replica reads all feeds.", Replicas(elsewhere)},
		{"not-ready", "It isn't ready: the replica has just started.", joining},
		{"unowned", "No replica reads a feed.", Replicas(unowned)},
	}
}

// Replicas is a backend with these feeds on the second of three replicas. The third gave an address that isn't a page.
func Replicas(feeds ...web.Feed) *Backend {
	b := Account(feeds...)
	b.Shown.Replicas = []web.Replica{
		{Name: "cdr-0", Address: "http://10.0.0.7:9887/", Started: Ago(time.Hour), Feeds: 2},
		{Name: "cdr-1", Address: "http://10.0.0.8:9887/", Started: Ago(time.Minute), Self: true},
		{Name: "cdr-2", Address: "javascript:alert()", Started: Ago(time.Minute)},
	}
	return b
}
