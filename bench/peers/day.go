package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// pageSize is Graph's page size.
const pageSize = 1000

// row is a version of a row in Graph's form.
type row struct {
	id    string
	start time.Time
	json  []byte
	// The provider shows it from a time until another one; zero doesn't limit it.
	from, until time.Time
}

// shown says whether the provider shows the row at a time.
func (r *row) shown(at time.Time) bool {
	return !at.Before(r.from) && (r.until.IsZero() || at.Before(r.until))
}

// day is the distinct rows of a day, by start, and one late row of the same day.
type day struct {
	rows []row
	late row
}

// makeDay makes a day of calls that ended twelve hours ago, so that all its calls have ended.
func makeDay(ctx context.Context, now time.Time, rows int) (*day, error) {
	to := now.Add(-12 * time.Hour)
	d := new(day)
	var err error
	if d.rows, err = makeRows(ctx, to.Add(-24*time.Hour), to, rows+1); err != nil {
		return nil, err
	}
	d.late = d.rows[rows/2]
	d.rows = append(d.rows[:rows/2], d.rows[rows/2+1:]...)
	return d, nil
}

// makeRows reads calls that started in a span of the past from the simulated Graph, in the order of
// their starts.
func makeRows(ctx context.Context, from, to time.Time, n int) (rows []row, err error) {
	settings := simulator.Historical(9, sim.DirectRoutingMix(), from, to, n)
	settings.Delays, settings.Revised, settings.Duplicated = nil, 0, 0
	world := simulator.NewWorld(settings)
	server, err := sim.Start(sim.Settings{DirectRouting: world, PageSize: pageSize})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	client := &http.Client{Transport: server.Trusted()}
	next := fmt.Sprintf("%s/v1.0/communications/callRecords/getDirectRoutingCalls(fromDateTime=%s,toDateTime=%s)",
		server.BaseURL(), from.Add(-time.Hour).UTC().Format(time.RFC3339),
		to.Add(time.Hour).UTC().Format(time.RFC3339))
	for next != "" {
		if next, err = readPage(ctx, client, next, &rows); err != nil {
			return nil, err
		}
	}
	if len(rows) != n {
		return nil, fmt.Errorf("the simulator gave %d rows, not %d", len(rows), n)
	}
	slices.SortStableFunc(rows, func(a, b row) int { return a.start.Compare(b.start) })
	return rows, nil
}

// bytes is the size of all rows.
func (d *day) bytes() (n int) {
	for i := range d.rows {
		n += len(d.rows[i].json)
	}
	return n
}

// readPage adds the rows of a page and returns the link to the next one.
func readPage(ctx context.Context, client *http.Client, link string, rows *[]row) (next string, err error) {
	var page struct {
		Next  string            `json:"@odata.nextLink"`
		Value []json.RawMessage `json:"value"`
	}
	if err := getJSON(ctx, client, link, &page); err != nil {
		return "", fmt.Errorf("read a page of the simulator: %w", err)
	}
	for _, raw := range page.Value {
		var known struct {
			ID    string    `json:"id"`
			Start time.Time `json:"startDateTime"`
		}
		if err := json.Unmarshal(raw, &known); err != nil {
			return "", fmt.Errorf("read a row of the simulator: %w", err)
		}
		*rows = append(*rows, row{id: known.ID, start: known.Start, json: raw})
	}
	return page.Next, nil
}
