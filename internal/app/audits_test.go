package app

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

func TestAuditedDay(t *testing.T) {
	for now, want := range map[string]string{
		"2026-03-10T03:29:59Z": "2026-03-07", "2026-03-10T03:30:00Z": "2026-03-08",
		"2026-03-10T23:59:59Z": "2026-03-08", "2026-03-11T00:00:00Z": "2026-03-08",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if day, wanted := auditedDay(at, "03:30"); !wanted || day.Format(time.RFC3339) != want+"T00:00:00Z" {
			t.Errorf("at %s it is %s, %t; want %s", now, day, wanted, want)
		}
	}
	if day, wanted := auditedDay(time.Now(), ""); wanted {
		t.Errorf("without a time of day it is %s", day)
	}
}

// TestNeedAudit: a daily audit is due until its result is in the ledger, whatever the process has missed.
func TestNeedAudit(t *testing.T) {
	day := time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC)
	counted := counting.State{HistoryDone: true, Origin: day}
	result := func(day, at time.Time) ledger.AuditResult {
		return ledger.AuditResult{Source: "s", Feed: "f", Day: day, At: at}
	}
	for name, c := range map[string]struct {
		books books
		state counting.State
		want  bool
	}{
		"never audited": {books{now: day}, counted, true},
		"the day before": {books{
			now:    day,
			audits: []ledger.AuditResult{result(day.AddDate(0, 0, -1), day.AddDate(0, 0, 1))},
		}, counted, true},
		"audited": {books{
			now:    day,
			audits: []ledger.AuditResult{result(day, day.AddDate(0, 0, 2).Add(4*time.Hour))},
		}, counted, false},
		"audited before it is due": {
			books{now: day, audits: []ledger.AuditResult{result(day, day.AddDate(0, 0, 1))}},
			counted, true,
		},
		"a history that is read": {books{now: day}, counting.State{Origin: day}, false},
		"before the origin": {
			books{now: day},
			counting.State{HistoryDone: true, Origin: day.AddDate(0, 0, 1)},
			false,
		},
		"the ledger wasn't asked":  {books{}, counted, false},
		"the ledger didn't answer": {books{now: day, unknown: true}, counted, false},
	} {
		if got := c.books.needAudit(feedName{"s", "f"}, day, &c.state); got != c.want {
			t.Errorf("%s: due is %t", name, got)
		}
	}
}
