package declared

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// httpWay reads lists that are asked for page by page.
type httpWay struct {
	client *httpclient.Client
	tokens *httpclient.Client // to where tokens come from; nil: there are none
	now    func() time.Time
	logger *slog.Logger
}

func (b *Block) openHTTP(source *collector.Source, settings *collector.SourceSettings) (readFeed, error) {
	d, title := b.definition, b.definition.title()
	w := &httpWay{now: settings.Now, logger: settings.Logger}
	source.Account = strings.TrimSpace(d.Provider + " " + b.BaseURL + " " + expand(d.Account, b.Values))
	h := &headers{block: b, http: d.HTTP}
	api := settings.Settings
	api.BaseURL, api.Token, api.Authorize, api.QuotaKey = b.BaseURL, h, authorize, source.Account
	api.RequestsPerMinute = cmp.Or(api.RequestsPerMinute, d.HTTP.RequestsPerMinute)
	api.KeepTokenOn403 = d.HTTP.Auth.OAuth2 == nil
	var err error
	if w.client, err = httpclient.New(api); err != nil {
		return nil, fmt.Errorf("prepare the way to %s: %w", title, err)
	}
	if d.HTTP.Auth.OAuth2 != nil {
		o, err := newOAuth(d.HTTP.Auth.OAuth2, h, w.client, settings, title)
		if err != nil {
			return nil, fmt.Errorf("prepare the way to the tokens of %s: %w", title, err)
		}
		h.tokens, w.tokens = httpclient.NewTokens(o.ask, settings.Now), o.client
	}
	source.Close, source.Offset, source.ThrottledUntil = w.close, w.client.Offset, w.client.ThrottledUntil
	source.Advise = adviser(title, d.HTTP.BaseURL)
	return w.readFeed, nil
}

func (w *httpWay) readFeed(info *collector.FeedInfo, f *feed) {
	reader := &httpReader{httpWay: w, feed: f}
	if f.Snapshot {
		info.ActiveCalls = (&snapshotReader{httpReader: reader}).read
		info.Probe, info.Lookback, info.LateAfter = info.ActiveCalls.Probe, 0, 0
		return
	}
	grain := f.Filter.Grain
	if grain <= time.Second {
		grain = 0
	}
	info.Reader = reader
	info.Limits = collector.Limits{MaxRange: f.Filter.MaxRange, Retention: f.Filter.Retention, Grain: grain}
	if f.Filter.By == byInserted {
		stream := &insertedReader{httpReader: reader}
		info.Stream, info.Reader = stream, spanReader{stream}
		info.Rules.ByArrival = true
		info.Limits.MaxRange = 0 // a span of starts isn't one of insertions: the reader sees to it
	}
	info.Probe = collector.Probe(lookingAhead{reader},
		func() time.Time { return f.Filter.upTo(span{to: w.now()}, w.now()).to })
}

// lookingAhead is a reader for probes: it yields the first page, with rows outside the span too,
// once what follows it was read: the second page or an error, such as a link that isn't followed.
// What a definition says of paging shows only there. A page whose rows are all invalid is an error.
type lookingAhead struct{ *httpReader }

// Pages implements collector.RangeReader.
func (r lookingAhead) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		var first *collector.Page
		for page, err := range r.read(ctx, span{from, to}, everything, func(*collector.Page) {}) {
			if first == nil && err == nil && len(page.Invalid) > 0 && len(page.Records)+len(page.Ignored) == 0 {
				err = &advice.Error{
					What: fmt.Sprintf("no row of the page can be read (%d rows), the first one because: %s",
						len(page.Invalid), page.Invalid[0].Problem),
					Todo: "save the answer and look at each row with cdr-exporter provider try",
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if first != nil {
				break
			}
			first = page
		}
		if first != nil {
			yield(first, nil)
		}
	}
}

func (w *httpWay) close() {
	w.client.Close()
	if w.tokens != nil {
		w.tokens.Close()
	}
}

// adviser says what errors mean: what all providers share, and what a refusal means where nothing more is known of one.
func adviser(title, address string) func(error) (what, todo string) {
	common := advice.Provider{Name: title, Address: baseURL, Default: cmp.Or(address, "what the provider says")}
	return func(err error) (what, todo string) {
		if collector.IsFewerRows(err) {
			return err.Error(), "nothing, if it passes: the span is read again; if it stays so, check " +
				"that total of the definition counts the rows of what was asked, " +
				"and ask " + title + " for the rows that are missing"
		}
		request, forToken := advice.LastRequest(err)
		if request == nil {
			return common.Advise(err)
		}
		switch {
		case forToken && (request.Kind == httpclient.KindUnauthorized || request.Kind == httpclient.KindBadRequest || request.Kind == httpclient.KindForbidden):
			return title + " gives no token for these credentials (" + err.Error() + ")", "check the client's id and secret, its refresh token if it has one, and the account"
		case request.Kind == httpclient.KindUnauthorized:
			return title + " refuses the credentials (" + err.Error() + ")", "check the keys of the source's block, and that the credential still exists"
		case request.Kind == httpclient.KindForbidden:
			return title + " says that the credentials may not read calls (" + err.Error() + ")", "give them the right to read call records"
		case errors.Is(err, httpclient.ErrLinkExpired):
			return title + "'s paging broke off (" + err.Error() + ")", "nothing, if it passes: the range is read again; if each read ends so, the provider may refuse the page behind the " +
				"last one: let the definition name the provider's count as total"
		case request.Kind == httpclient.KindBadRequest:
			return title + " refuses the request (" + err.Error() + ")", "check path, query and max_range of the definition's feed, base_url, and the machine's clock"
		}
		return common.Advise(err)
	}
}
