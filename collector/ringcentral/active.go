package ringcentral

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	feedActiveCalls = "active_calls"
	// labelActiveCalls is the endpoint in errors.
	labelActiveCalls = "active-calls"
	// metricActiveCalls is the gauge, with the label direction.
	metricActiveCalls = "cdr_active_calls"
)

// activeCalls is the feed of the calls in progress: a snapshot, never a source of
// records, for RingCentral also lists calls that ended up to two minutes ago, and not
// those that still ring in routing. One loop polls it.
type activeCalls struct {
	path    string
	grouped bool // rows of a session are one call
	client  *httpclient.Client
	logger  *slog.Logger

	badRows bool // the last snapshot had rows that can't be read
}

// Poll implements collector.Feed. After an error the former snapshot stays; it is the
// loop that drops it when several reads have failed.
func (a *activeCalls) Poll(ctx context.Context, _ collector.LedgerState, sink collector.Sink) error {
	t, err := a.read(ctx, perPage, maxPages)
	if err != nil {
		return err
	}
	a.logBad(ctx, t)
	sink.Gauges(t.gauges())
	return nil
}

// read counts the calls on so many pages at most.
func (a *activeCalls) read(ctx context.Context, perPage, pages int) (*tally, error) {
	t, decoder := &tally{grouped: a.grouped, calls: map[string]cdr.Direction{}}, newPageDecoder()
	request := httpclient.Request{Feed: feedActiveCalls, URL: a.link(perPage), Label: labelActiveCalls, ExpectJSON: true}
	for number, err := range a.client.Pages(ctx, request, maxPages, decoder.decode) {
		if err == nil {
			err = t.add(decoder.rows, number)
		}
		if err != nil {
			return nil, withProblem(err)
		}
		if number == pages {
			break
		}
	}
	return t, nil
}

// link is the first page. Older platforms ignore what is asked for beside the page, so
// each row is looked at all the same.
func (a *activeCalls) link(perPage int) string {
	query := url.Values{"view": {"Simple"}, "type": {"Voice"}, "perPage": {strconv.Itoa(perPage)}, "page": {"1"}}
	return a.path + "?" + query.Encode()
}

// logBad logs rows that can't be read, once until there are none.
func (a *activeCalls) logBad(ctx context.Context, t *tally) {
	if t.bad == 0 {
		a.badRows = false
		return
	}
	if !a.badRows {
		a.badRows = true
		a.logger.WarnContext(ctx, "rows of the calls in progress can't be read, and aren't counted",
			"feed", feedActiveCalls, "rows", t.bad, "at", t.at, "problem", t.problem)
	}
}

// probe reads the smallest page, without following it.
func (a *activeCalls) probe(ctx context.Context) (rows int, err error) {
	t, err := a.read(ctx, 1, 1)
	if err != nil {
		return 0, fmt.Errorf("read a page of the calls in progress: %w", err)
	}
	return len(t.calls), nil
}

// tally counts the calls in progress, each once: pages shift while they are read, and
// the last row seen of a call is the newest.
type tally struct {
	grouped bool
	mapper  mapper // asked only what is a call
	row     row

	calls       map[string]cdr.Direction
	bad         int
	at, problem string // of the last bad row
}

// add counts the calls of a page.
func (t *tally) add(rows [][]byte, page int) error {
	for i, value := range rows {
		if problem := decodeRow(value, &t.row); problem != "" {
			t.bad++
			t.at, t.problem = fmt.Sprintf("page %d, row %d", page, i+1), problem
			continue
		}
		if folded(t.row.Result) != resultInProgress || t.mapper.ignored(&t.row) != "" {
			continue
		}
		if len(t.calls) >= maxWholeRows {
			return wire.ErrTooManyRows
		}
		direction, _ := directionOf(&t.row)
		t.calls[t.key(i+1, page)] = direction
	}
	t.mapper.unmapped = nil
	return nil
}

// key tells calls apart: by the row's id or, in the log of an extension, by the session.
func (t *tally) key(number, page int) string {
	r := &t.row
	switch {
	case t.grouped && r.TelephonySessionID != "":
		return "session " + r.TelephonySessionID
	case t.grouped && r.SessionID != "":
		return "session " + r.SessionID
	case r.ID != "":
		return "id " + r.ID
	}
	return fmt.Sprintf("row %d of page %d", number, page)
}

// gauges are the calls by direction: inbound and outbound always, the others when there
// are any.
func (t *tally) gauges() []collector.Gauge {
	counts := map[cdr.Direction]int{}
	for _, direction := range t.calls {
		counts[direction]++
	}
	var gauges []collector.Gauge
	for _, d := range [...]cdr.Direction{cdr.Inbound, cdr.Outbound, cdr.Internal, cdr.DirectionUnknown} {
		if n := counts[d]; n > 0 || d == cdr.Inbound || d == cdr.Outbound {
			gauges = append(gauges, collector.Gauge{Metric: metricActiveCalls, Labels: []string{d.String()}, Value: float64(n)})
		}
	}
	return gauges
}
