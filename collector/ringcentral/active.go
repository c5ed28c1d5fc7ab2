package ringcentral

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const feedActiveCalls = "active_calls"

// activeCalls reads the calls in progress. It is never a source of records: RingCentral also lists
// calls that ended up to two minutes ago, and leaves out calls that still ring in routing. One loop
// reads it.
type activeCalls struct {
	path    string
	grouped bool // rows of a session make one call
	client  *httpclient.Client
	logger  *slog.Logger

	badRows bool // the last snapshot had malformed rows
}

// read implements collector.ActiveCalls. It counts a call once: pages shift while they are read,
// and the last row seen of a call is the newest.
func (a *activeCalls) read(ctx context.Context, smallest bool) (map[cdr.Direction]int, error) {
	decoder, calls, problem := newPageDecoder(), map[string]cdr.Direction{}, ""
	request := httpclient.Request{Feed: feedActiveCalls, URL: a.link(smallest), Label: "active-calls", ExpectJSON: true}
	for number, err := range a.client.Pages(ctx, request, maxPages, decoder.decode) {
		if err == nil {
			problem = cmp.Or(a.add(calls, decoder.rows, number), problem)
			if len(calls) > maxWholeRows {
				err = wire.ErrTooManyRows
			}
		}
		if err != nil {
			return nil, fmt.Errorf("read the calls in progress: %w", err)
		}
		if smallest {
			break
		}
	}
	if problem != "" && !a.badRows {
		a.logger.WarnContext(ctx, "rows of the calls in progress can't be read; they aren't counted", "feed",
			feedActiveCalls, "problem", problem)
	}
	a.badRows = problem != ""
	count := map[cdr.Direction]int{}
	for _, direction := range calls {
		count[direction]++
	}
	return count, nil
}

// link is the first page. Older platforms ignore all parameters except the page, so each row is
// checked anyway.
func (a *activeCalls) link(smallest bool) string {
	rows := perPage
	if smallest {
		rows = 1
	}
	query := url.Values{"view": {"Simple"}, "type": {"Voice"}, "perPage": {strconv.Itoa(rows)}, "page": {"1"}}
	return a.path + "?" + query.Encode()
}

// add adds the calls of a page by their row id or, in the log of an extension, by their session. It
// returns the problem of the last malformed row.
func (a *activeCalls) add(calls map[string]cdr.Direction, rows [][]byte, page int) (problem string) {
	var m mapper // only to find out which rows are calls
	for i, value := range rows {
		var r row
		at := fmt.Sprintf("page %d, row %d", page, i+1)
		if wrong := decodeRow(value, &r); wrong != "" {
			problem = at + ": " + wrong
			continue
		}
		if !inProgress[folded(r.Result)] || m.ignored(&r) != "" {
			continue
		}
		key := cmp.Or(r.ID, at)
		if session := cmp.Or(r.TelephonySessionID, r.SessionID); a.grouped && session != "" {
			key = "session " + session
		}
		calls[key], _ = directionOf(&r)
	}
	return problem
}
