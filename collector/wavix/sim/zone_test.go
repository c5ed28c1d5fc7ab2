package sim

import (
	"net/url"
	"testing"
	"time"
	_ "time/tzdata" // Zones are the same on every machine.

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestDaysAreOfTheZone: every row belongs to one day, which is that of the account's
// time zone, while its date is in UTC.
func TestDaysAreOfTheZone(t *testing.T) {
	a := account(t, 600, nil)
	for _, name := range []string{"UTC", "Pacific/Wallis", "America/Los_Angeles", "Asia/Kathmandu"} {
		server, c := start(t, Settings{Account: a, Timezone: zone(t, name)})
		sum := 0
		for day := -1; day <= 1; day++ {
			date := begin.AddDate(0, 0, day)
			text := date.Format(time.DateOnly)
			rows, first := c.pages(options(Received, "from", text, "to", text), 500)
			sum += first.Pagination.Total
			if n := server.DayTotals(date, Received, server.Now()); n != first.Pagination.Total {
				t.Errorf("%s %s: total %d, DayTotals %d", name, text, first.Pagination.Total, n)
			}
			for _, row := range rowsOfJSON(t, rows) {
				at, err := time.Parse(time.RFC3339, row["date"])
				if err != nil || at.In(zone(t, name)).Format(time.DateOnly) != text {
					t.Fatalf("%s: %s is listed on %s", name, row["date"], text)
				}
			}
		}
		if want := a.Totals(server.Now()); sum == 0 || sum != c.total(Received, "2026-03-01", "2026-03-03") || sum > want.Records {
			t.Errorf("%s: %d rows on three days", name, sum)
		}
	}
}

func (c *client) total(callType, from, to string) int {
	c.t.Helper()
	return c.page(options(callType, "from", from, "to", to)).Pagination.Total
}

// TestDaysOfAChangedClock: days of 23 and 25 hours have all of their rows, and no other.
func TestDaysOfAChangedClock(t *testing.T) {
	for _, test := range []struct {
		zone string
		day  time.Time
	}{
		{"America/New_York", time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC)},
		{"America/New_York", time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
		// This one has no midnight.
		{"Africa/Cairo", time.Date(2026, 4, 24, 0, 0, 0, 0, time.UTC)},
	} {
		w := world(t, PlacedMix(), 800, func(s *simulator.Settings) {
			s.From, s.To, s.Duplicated = test.day.Add(-12*time.Hour), test.day.Add(36*time.Hour), 0
		})
		server, c := start(t, Settings{
			Account: accountOf(t, AccountSettings{Placed: w}), Timezone: zone(t, test.zone),
			Clock: simulator.NewManualClock(test.day.AddDate(0, 1, 0)),
		})
		sum := 0
		for n := -2; n <= 3; n++ {
			sum += server.DayTotals(test.day.AddDate(0, 0, n), Placed, server.Now())
		}
		from, to := test.day.AddDate(0, 0, -2).Format(time.DateOnly), test.day.AddDate(0, 0, 3).Format(time.DateOnly)
		if n := c.total(Placed, from, to); n != 800 || sum != 800 {
			t.Errorf("%s: %d rows, %d by days", test.zone, n, sum)
		}
	}
}

// TestAnyRangeIsCheap: who asks for two thousand years is answered.
func TestAnyRangeIsCheap(t *testing.T) {
	_, c := start(t, Settings{Account: account(t, 100, nil)})
	rows, _ := c.pages(url.Values{"from": {"0001-01-01"}, "to": {"9999-12-31"}, "type": {Received}, "disposition": {"all"}}, 1000)
	if len(rows) < 100 {
		t.Errorf("%d rows", len(rows))
	}
}
