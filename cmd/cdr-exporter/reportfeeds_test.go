package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
)

// TestFeedsOfReport (property Overlaps of feeds): which feeds are summed.
func TestFeedsOfReport(t *testing.T) {
	for name, tc := range map[string]struct {
		feed, lost string
		want       string // the feeds, or a part of the error
		absent     string // what is named as absent in the end
	}{
		"all, but for what others have too": {
			want: "contoso/pstn acme/call_log other/call_records", lost: "pushed/cdr",
			absent: "pushed/cdr",
		},
		"one that others have too": {
			feed: "call_records", want: "contoso/call_records other/call_records",
			lost: "pushed/cdr",
		},
		"one of a single source": {feed: "call_log", want: "acme/call_log"},
		"one that keeps nothing": {
			feed: "cdr", lost: "pushed/cdr",
			want: "--feed: pushed/cdr: its records are posted",
		},
		"one that isn't there": {
			feed: "none", lost: "pushed/cdr",
			want: "--feed: no feed none of call records; the feeds are contoso/pstn, contoso/call_records, " +
				"acme/call_log, other/call_records",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var feeds []*pastFeed
			for _, of := range []string{"contoso/pstn", "contoso/call_records", "acme/call_log", "other/call_records"} {
				source, feed, _ := strings.Cut(of, "/")
				info := &collector.FeedInfo{
					Name:       feed,
					Properties: collector.FeedProperties{Overlaps: feed == "call_records"},
				}
				feeds = append(feeds, &pastFeed{Feed: history.Feed{Source: source, Info: info}})
			}
			span := &pastSpan{}
			if tc.lost != "" {
				span.lost = []string{tc.lost}
			}
			chosen, err := span.choose(feeds, tc.feed)
			if tc.feed == "" {
				chosen = withoutOverlaps(chosen)
			}
			var names []string
			for _, f := range chosen {
				names = append(names, f.name())
			}
			said := strings.Join(names, " ")
			if err != nil {
				said = err.Error()
			}
			if !strings.HasPrefix(said, tc.want) || err == nil && said != tc.want {
				t.Errorf("%s, want %s", said, tc.want)
			}
			if absent := strings.Join(span.lost, " "); err == nil && absent != tc.absent {
				t.Errorf("absent: %q, want %q", absent, tc.absent)
			}
		})
	}
}

// TestDateIn: a date is a midnight of the time zone, a month its first day's; all else stays as it is.
func TestDateIn(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	newYear := time.Date(2027, 1, 1, 0, 30, 0, 0, zone) // still 2026 in UTC
	var got []string
	for _, text := range []string{
		"last-month", "this-month", "2026-03-01", "2026-04-01", "2026-03-01T00:00:00Z", "36h",
		"02:30", "soon", "",
	} {
		got = append(got, dateIn(newYear, text))
	}
	if want := []string{
		"2026-12-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00",
		"2026-04-01T00:00:00+02:00", "2026-03-01T00:00:00Z", "36h", "02:30", "soon", "",
	}; !slices.Equal(got, want) {
		t.Errorf("%s", got)
	}
	// no midnight
	for name, want := range map[string]string{
		"America/Santiago": "2026-09-06T01:00:00-03:00",
		"Africa/Cairo":     "2026-04-24T01:00:00+03:00",
	} {
		if zone, err = time.LoadLocation(name); err != nil {
			t.Fatal(err)
		}
		if got := dateIn(newYear.In(zone), want[:len(time.DateOnly)]); got != want {
			t.Errorf("in %s the day begins at %s, want %s", name, got, want)
		}
	}
}
