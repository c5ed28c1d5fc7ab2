package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/access"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// API reads lists of a source page by page.
type API struct {
	client *httpclient.Client
	now    func() time.Time
	logger *slog.Logger
	oauth  *access.TokenClient // nil without one
	// api are the settings of client, for the clients of requests that the provider counts apart.
	api  httpclient.Settings
	mu   sync.Mutex
	more map[string]*httpclient.Client // guarded by mu
	// account names what is read: the provider, its host and the account.
	account string
	same    string // sets account to another user of the same account
}

// Settings are what an API of a source needs. Open completes Source by HTTP.
type Settings struct {
	access.Source

	HTTP *HTTP
	// Account is the definition's text with the source's parameters.
	Account string
	// OtherWord is the word of a parameter that a source may set in place of the default; empty if there
	// are several.
	OtherWord func(parameter string) string
}

// Feed is a list that a source reads.
type Feed struct {
	*List

	Name string
	// Parameters are the values that texts may name.
	Parameters map[string][]string
	Lookback   time.Duration
	// MayLackIDs: rows may be known by their content only.
	MayLackIDs bool
	// Start are the places of a row that can give its time; a row with none of them can't be read.
	Start []language.Path
	// Zones are those of local times, other than UTC.
	Zones []*time.Location
	// NewMapper makes a mapper for the rows of a list with values of `for`, and lists of names.
	NewMapper func(each map[string]string, names map[string]map[string]string) rowmap.Mapper
}

// with is the feed with another list of the same definition.
func (f *Feed) with(list *List) *Feed {
	other := *f
	list.SetParameters(f.lists, f.secrets)
	other.List = list
	return &other
}

// Open prepares to ask an API, and adds the account, the advice for errors and the closer to the
// source. It sends no request.
func Open(s *Settings, source *collector.Source, settings *collector.SourceSettings) (*API, error) {
	w := &API{now: settings.Now, logger: settings.Logger, more: make(map[string]*httpclient.Client)}
	w.account = strings.TrimSpace(s.Provider + " " + s.host() + " " + s.Account)
	source.Account = strings.TrimSpace(s.Provider + " " + s.BaseURL + " " + s.Account)
	s.Auth, s.Headers = &s.HTTP.Auth, s.HTTP.Headers
	s.Describe = func(api *httpclient.Settings) { s.HTTP.describeErrors(api, s.Title) }
	h := &access.Credentials{Source: &s.Source}
	api := settings.Settings
	api.BaseURL, api.Authorize = s.BaseURL, access.Authorize
	var err error
	if o := s.Auth.OAuth2; o != nil {
		if w.oauth, err = access.NewTokenClient(o, h, settings); err != nil {
			return nil, fmt.Errorf("prepare the connection to the token endpoint of %s: %w", s.Title, err)
		}
		h.Tokens = httpclient.NewTokens(w.oauth.Ask, settings.Now)
		w.nameUser(source, s)
	}
	api.Token, api.QuotaKey = h, source.Account
	api.RequestsPerMinute = cmp.Or(api.RequestsPerMinute, s.HTTP.RequestsPerMinute)
	// A token with a session is kept: there are few sessions.
	api.KeepTokenOn403 = w.oauth == nil || w.oauth.RevokeURL != ""
	if s.Describe(&api); s.HTTP.Limit != nil {
		api.Limit = *s.HTTP.Limit
	}
	w.api = api
	if w.client, err = httpclient.New(api); err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", s.Title, err)
	}
	if s.HTTP.Limit != nil {
		source.Budget = w.client.Budget
	}
	source.Close, source.Offset, source.ThrottledUntil = w.close, w.client.Offset, w.client.ThrottledUntil
	source.Advise = adviser(s.Title, s.HTTP)
	return w, nil
}

// nameUser names the source's account by the user of its signed token. Its limits belong to the
// client and the user, whatever is read.
func (w *API) nameUser(source *collector.Source, s *Settings) {
	signed := w.oauth.Signed
	if signed == nil {
		return
	}
	client := language.Expand(w.oauth.ClientID, s.Values)
	w.account += " " + cmp.Or(signed.Who(), client)
	source.Account = strings.Join([]string{s.Provider, s.BaseURL, client, signed.Who()}, " ")
	source.CredentialExpiry = signed.Expiry
	for _, name := range language.ParametersIn(w.oauth.SameAccount) {
		if text := s.OtherWord(name); text != "" {
			w.same = name + ": " + text
		}
	}
}

// host is where the account is, without the port: that may change although the account is the same.
func (s *Settings) host() string {
	u, err := url.Parse(s.BaseURL)
	if err != nil {
		return s.BaseURL
	}
	return u.Hostname() + u.Path
}

// clientFor returns a client for requests with a separate limit. If limit is nil, it returns the
// client of all requests.
func (w *API) clientFor(name string, limit *httpclient.Limit) (*httpclient.Client, error) {
	if limit == nil {
		return w.client, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if client, is := w.more[name]; is {
		return client, nil
	}
	s := w.api
	s.Limit, s.QuotaKey = *limit, s.QuotaKey+" "+cmp.Or(limit.Group, name)
	client, err := httpclient.New(s)
	if err != nil {
		return nil, err
	}
	w.more[name] = client
	return client, nil
}

// ReadFeed adds a feed's reader to its info.
func (w *API) ReadFeed(info *collector.FeedInfo, f *Feed) {
	read, total := f.Chosen(f.Parameters)
	f = f.with(read)
	r := &reader{API: w, Feed: f, totals: make(map[time.Time]collector.ProviderTotal)}
	if total != nil {
		r.counter = &reader{API: w, Feed: f.with(total)}
	}
	info.Fingerprint = w.account + " " + f.Name
	if w.oauth != nil && w.oauth.Signed != nil {
		info.SameAccount = w.oauth.Signed.Same
		if w.same != "" {
			info.OtherAccount = "; if only the user of the signed token changed and the account is the same, set " +
				w.same
		}
	}
	if f.Snapshot {
		info.ActiveCalls = r.snapshot
		info.Probe, info.Lookback, info.LateAfter = info.ActiveCalls.Probe, 0, 0
		return
	}
	grain := f.Filter.Grain
	if grain <= time.Second {
		grain = 0
	}
	info.Reader = r
	if f.Recording != nil {
		info.Recording = r.recordingInfo
	}
	info.Limits = collector.Limits{MaxRange: f.Filter.MaxRange, Retention: f.Filter.Retention, Grain: grain}
	if f.Filter.By == ByInserted {
		stream := &insertedReader{reader: r}
		info.Stream, info.Reader, info.Unread = stream, spanReader{stream}, stream.unread
		info.Rules.ByArrival = true
		info.Limits.MaxRange = 0 // limits starts, not times of insertion: the reader applies it
	}
	info.Probe = collector.Probe(lookingAhead{r},
		func() time.Time { return f.Filter.upTo(span{to: w.now()}, w.now()).to })
}

// lookingAhead is a reader for probes. It yields the first page, including rows outside the span,
// after it has read what follows: the second page or an error, such as a link that is refused. Only
// there can paging be checked. A page whose rows are all invalid is an error.
type lookingAhead struct{ *reader }

// Pages implements collector.RangeReader.
func (r lookingAhead) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		var first *collector.Page
		for page, err := range r.read(ctx, span{from, to}, everything, func(*collector.Page) {}) {
			if first == nil && err == nil && len(page.Invalid) > 0 && len(page.Records)+len(page.Ignored) == 0 {
				err = advice.NoneReadable(len(page.Invalid), page.Invalid[0].Problem)
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

func (w *API) close() {
	if w.oauth != nil {
		w.oauth.Close(w.logger)
	}
	w.client.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, client := range w.more {
		client.Close()
	}
}

// adviser explains errors: those that all providers share, and refusals without a more specific
// meaning.
func adviser(title string, h *HTTP) func(error) (what, todo string) {
	common := advice.Provider{
		Name: title, Address: "base_url",
		Default: cmp.Or(h.BaseURL, "see the provider's documentation"),
	}
	return func(err error) (what, todo string) {
		if collector.IsFewerRows(err) {
			return err.Error(), "nothing, if it passes: the span is read again; otherwise check " +
				"that the definition's total counts the rows of the request, " +
				"and ask " + title + " about the missing rows"
		}
		if what, todo, known := h.Errors.advise(err); known {
			return what, todo
		}
		request, forToken := advice.LastRequest(err)
		if request == nil {
			return common.Advise(err)
		}
		switch {
		case forToken && (request.Kind == httpclient.KindUnauthorized || request.Kind == httpclient.KindBadRequest ||
			request.Kind == httpclient.KindForbidden):
			return title + " issues no token for these credentials (" + err.Error() + ")",
				"check the client's id and secret, its refresh token if it has one, and the account"
		case request.Kind == httpclient.KindUnauthorized:
			return title + " refuses the credentials (" + err.Error() + ")",
				"check the keys of the source's block, and that the credential still exists"
		case request.Kind == httpclient.KindForbidden:
			return title + " doesn't allow the credentials to read calls (" + err.Error() + ")",
				"give them the right to read call records"
		case errors.Is(err, httpclient.ErrLinkExpired):
			return title + "'s paging broke off (" + err.Error() + ")",
				"nothing, if it passes: the range is read again; if each read ends like this, the provider " +
					"may refuse the page after the " +
					"last one: set total in the definition to the path of the provider's count"
		case request.Kind == httpclient.KindBadRequest:
			return title + " refuses the request (" + err.Error() + ")",
				"check path, query and max_range of the definition's feed, base_url, and the machine's clock"
		}
		return common.Advise(err)
	}
}
