package ringcentral

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

const (
	// changesPath is the account's: an extension has no such endpoint.
	changesPath = "restapi/v1.0/account/~/call-log-extract-sync"
	// syncRecords is how many rows an answer to a full synchronisation has, but for those
	// that share the last millisecond.
	syncRecords = 1000
	// maxSyncToken bounds a token, which is kept in the ledger, in bytes.
	maxSyncToken = 4096
)

// sync is the collector.SyncFunc of an account's call log: it reads in the order of modification.
func (l *callLog) sync(ctx context.Context, token string, from time.Time) (*collector.Page, collector.SyncPosition, error) {
	decoder, mapper := newPageDecoder(), &mapper{log: l}
	request := httpclient.Request{Feed: feedCallLog, URL: l.changesLink(token, from), Label: "call-log-extract-sync", ExpectJSON: true}
	err := l.client.Fetch(ctx, request, func(body []byte) error {
		_, err := decoder.decode(body)
		return err
	})
	got := decoder.sync
	switch next := got.Token; {
	case err != nil:
		err = syncError(token, err)
	case len(decoder.rows) > maxWholeRows:
		err = wire.ErrTooManyRows
	case next == "" || len(next) > maxSyncToken:
		err = fmt.Errorf("%w: its answer has no token that can be kept", collector.ErrNoSync)
	}
	if err != nil {
		return nil, collector.SyncPosition{}, fmt.Errorf("read changes of the call log: %w", err)
	}
	return mapper.mapPage(wire.Piece{Page: 1, First: 1, Rows: decoder.rows}), collector.SyncPosition{Token: got.Token, More: got.More}, nil
}

// changesLink asks for what changed since a token or, without one, since a time.
func (l *callLog) changesLink(token string, from time.Time) string {
	query := url.Values{"view": {l.view}}
	if token == "" {
		query.Set("syncType", "FSync")
		query.Set("dateFrom", from.Format(wireTime))
		query.Set("recordCount", strconv.Itoa(syncRecords))
	} else {
		query.Set("syncType", "ISync")
		query.Set("syncToken", token)
	}
	return changesPath + "?" + query.Encode()
}

// syncError tells a token that is no longer good, and an account that doesn't offer to
// read by changes, from all else. Any refusal of a token as a bad request is one of the
// token: what comes then, without a token, decides.
func syncError(token string, err error) error {
	refused, ok := errors.AsType[*httpclient.Error](err)
	if !ok {
		return err
	}
	switch refused.Status {
	case http.StatusBadRequest, http.StatusGone, http.StatusUnprocessableEntity:
		if token != "" {
			return fmt.Errorf("%w: %w", collector.ErrTokenLost, err)
		}
	case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		// If the call log can't be read either, reading that says so.
	default:
		return err
	}
	return fmt.Errorf("%w: %w", collector.ErrNoSync, err)
}
