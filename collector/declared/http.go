package declared

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/access"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// HTTP says how to send requests to a provider. Its texts may name parameters in braces.
type HTTP struct {
	BaseURL           string            `yaml:"base_url"`
	Headers           map[string]string `yaml:"headers"`
	Auth              access.Auth       `yaml:"auth"`
	RequestsPerMinute int               `yaml:"requests_per_minute"`
	Limit             *access.Limit     `yaml:"limit"`
	// RequestID is the header of an answer with an id to quote to the provider's support.
	RequestID string `yaml:"request_id"`
	// Errors explain refused answers.
	Errors Refusals `yaml:"errors"`
}

// describeErrors says what errors of a client repeat from refused answers.
func (h *HTTP) describeErrors(s *httpclient.Settings, title string) {
	if h.RequestID != "" {
		s.RequestIDHeaders = []string{h.RequestID}
	}
	if h.Errors.Code.IsSet() || h.Errors.Name.IsSet() {
		s.Quote = func(answer []byte) string { return h.Errors.quote(title, answer) }
	}
}

// texts are all texts that may name parameters, by their keys. Secrets may stand in all of them
// except the addresses.
func (h *HTTP) texts() (all, addresses map[string]string) {
	all, addresses = make(map[string]string), map[string]string{baseURL: h.BaseURL}
	language.AddKeys(all, "headers", h.Headers)
	h.Auth.AddTexts(all)
	if o := h.Auth.OAuth2; o != nil {
		all["auth.oauth2.client_id"], all["auth.oauth2.client_secret"] = o.ClientID, o.ClientSecret
		all["auth.oauth2.refresh_token"], addresses["auth.oauth2.token_url"] = o.RefreshToken, o.TokenURL
		all["auth.oauth2.assertion"], addresses["auth.oauth2.revoke_url"] = o.Assertion, o.RevokeURL
		addresses["auth.oauth2.same_account"] = o.SameAccount
		language.AddKeys(all, "auth.oauth2.params", o.Params)
	}
	return all, addresses
}

// List is a list of rows over HTTP: how to request it, how its pages follow, and when it is complete.
// Of other sources it has Rows, Format, Columns and Filter.
type List struct {
	Request Request `yaml:"request"`
	Filter  Filter  `yaml:"filter"`
	Next    Next    `yaml:"next"`
	// For has values by name: the list is read with each of them, or with each combination.
	For map[string]language.Texts `yaml:"for"`
	// Snapshot: the rows are calls in progress.
	Snapshot bool `yaml:"snapshot"`
	// Complete is total if a read is complete once it has as many rows as Total says, whatever Next
	// says.
	Complete string `yaml:"complete"`
	// MaxRows is the most rows that the provider returns for a span; 0 means no limit.
	MaxRows int `yaml:"max_rows"`
	// Total is the path of the provider's own count for a request.
	Total language.Path `yaml:"total"`
	// Totals is the provider's list of totals by day.
	Totals *Totals `yaml:"totals"`
	// Exports are other lists of the same rows, by the value of the source's parameter format.
	Exports map[string]Export `yaml:"exports"`
	// TotalQuery is what the request has in its query if only the total is wanted.
	TotalQuery map[string]string `yaml:"total_query"`
	// Refused is true for an answer that says that the request failed, whatever its status is.
	Refused *language.Condition `yaml:"refused"`
	// Empty is true for an answer without Rows that is a list without rows.
	Empty *language.Condition `yaml:"empty"`
	// Rows is the path of the array of rows in a page; if empty, the page is the array.
	Rows    language.RowsPath `yaml:"rows"`
	Format  string            `yaml:"format"`
	Columns []string          `yaml:"columns"`
	// Names are lists that give names for ids, by the name of the list.
	Names map[string]*NameList `yaml:"names"`
	// Recording says how to request what the provider knows of a recording.
	Recording *Recording `yaml:"recording"`

	lists   map[string]bool // parameters that are lists
	secrets map[string]bool // parameters that are secrets
}

// Request is the request for the first page of a span, whose ends are {from|FORMAT} and
// {to|FORMAT}.
type Request struct {
	// Path may be several: the first that the provider has.
	Path    language.Texts    `yaml:"path"`
	Query   map[string]string `yaml:"query"`
	Headers map[string]string `yaml:"headers"`
	// Method is GET (or empty) or POST, which has a Body.
	Method string       `yaml:"method"`
	Body   *requestBody `yaml:"body"`
}

// texts are all texts that may name parameters, by their keys. Secrets may stand in the query and
// the body.
func (r *Request) texts() (secret, plain map[string]string) {
	secret, plain = make(map[string]string), make(map[string]string)
	language.AddKeys(secret, "query", r.Query)
	maps.Copy(secret, r.Body.texts("body"))
	for i, text := range r.Path {
		key := "path"
		if i > 0 {
			key = fmt.Sprintf("path[%d]", i)
		}
		plain[key] = text
	}
	language.AddKeys(plain, "headers", r.Headers)
	return secret, plain
}

// path is the first one.
func (r *Request) path() string {
	if len(r.Path) == 0 {
		return ""
	}
	return r.Path[0]
}

// Validate implements config.Validator.
func (r *Request) Validate(report *config.Report) {
	morning, evening := time.Date(2025, 2, 3, 4, 5, 6, 0, time.UTC), time.Date(2026, 11, 23, 17, 18, 19, 0, time.UTC)
	report.OneOf("method", cmp.Or(r.Method, http.MethodGet), http.MethodGet, http.MethodPost)
	if r.Body != nil && r.Method != http.MethodPost {
		report.Problemf("body", "needs method: POST; add that, or remove the body")
	}
	texts, path := r.texts()
	language.AddKeys(texts, "", path)
	for key, text := range texts {
		for _, found := range timeIn.FindAllStringSubmatch(text, -1) {
			if language.FormatTime(morning, found[2]) == language.FormatTime(evening, found[2]) {
				report.Problemf(key, "has %s, which doesn't depend on the time; for a day write {%s|2006-01-02}, "+
					"otherwise another form of time", found[0], found[1])
			}
		}
	}
}

// Filter says what the provider's time filter means.
type Filter struct {
	// By is the time that the filter applies to: start or end of a call, or when its row was
	// inserted.
	By        string        `yaml:"by"`
	Grain     time.Duration `yaml:"grain"`
	MaxRange  time.Duration `yaml:"max_range"`
	Retention time.Duration `yaml:"retention"`
	// MinAge is the age that a record must have before it is requested.
	MinAge time.Duration `yaml:"min_age"`
	// Key is the SQL column that numbers rows by insertion.
	Key     string  `yaml:"key"`
	Overlap overlap `yaml:"overlap"`
	// Step is the length of time that each list of a read covers; zero: one list covers all of it.
	Step time.Duration `yaml:"step"`
	// Margin is how much more is requested on both sides.
	Margin time.Duration `yaml:"margin"`
}

// overlap is how much is read again of a feed by insertion: a number of keys in SQL, or a time over
// HTTP.
type overlap struct {
	keys  int64
	time  time.Duration
	given string // the text in the definition
}

// defaultOverlap: a row may become visible a little after its time or its number.
var defaultOverlap = overlap{keys: 1000, time: time.Minute}

var wholeNumber = regexp.MustCompile(`^-?[0-9]+$`)

// DecodeNode implements config.NodeDecoder.
func (o *overlap) DecodeNode(n *config.Node) {
	if o.given = n.Text(); wholeNumber.MatchString(o.given) {
		n.Decode(&o.keys)
	} else {
		n.Decode(&o.time)
	}
}

// The times that a filter may apply to.
const (
	byStart    = "start"
	byEnd      = "end"
	byInserted = "inserted"
)

// Validate implements config.Validator.
func (f *Filter) Validate(r *config.Report) {
	if !r.Given("by") {
		r.Problemf("by", "is missing; say whether the filter applies to the start or the end of calls, or to "+
			"when their rows were inserted")
	} else {
		r.OneOf("by", f.By, byStart, byEnd, byInserted)
	}
	r.DurationAtLeast("grain", f.Grain, time.Second)
	r.DurationAtLeast("step", f.Step, 0)
	r.DurationAtLeast("margin", f.Margin, 0)
	if f.Grain > 0 && f.Step%f.Grain != 0 {
		r.Problemf("step", "must be a multiple of grain, %s", f.Grain)
	}
	r.AtLeast("overlap", f.Overlap.keys, 0)
	r.DurationAtLeast("overlap", f.Overlap.time, 0)
}

// Next says how to find the next page. Without it there is one page.
type Next struct {
	// URL is the path of the next page's address in a page; Token is the path of its token, for the
	// parameter Query.
	URL language.Path `yaml:"url"`
	// Has is the path of what a page has if another one follows.
	Has   language.Path `yaml:"has"`
	Token language.Path `yaml:"token"`
	Query string        `yaml:"query"`
	// Link is the relation of the next page's link in the Link header.
	Link string `yaml:"link"`
	// Page is the parameter with the page number, starting with From; Offset the parameter with the
	// number of rows to skip.
	Page   string `yaml:"page"`
	From   int    `yaml:"from"`
	Offset string `yaml:"offset"`
	// In says where the parameter is: in the query (or empty), or at a path in the body.
	In string `yaml:"in"`
}

// The places of a page's parameter.
const (
	inQuery = "query"
	inBody  = "body"
)

// Validate implements config.Validator.
func (n *Next) Validate(r *config.Report) {
	r.OneOf("in", cmp.Or(n.In, inQuery), inQuery, inBody)
	if n.In == inBody && n.Token == nil && n.Page == "" && n.Offset == "" {
		r.Problemf("in", "only works with token, page or offset; remove it")
	} else if _, err := language.ParsePath(n.parameter()); n.In == inBody && err != nil {
		r.Problemf("", "names %s, which is in the body, so it %s", n.parameter(), err)
	}
	if n.Has != nil && n.URL == nil && n.Token == nil {
		r.Problemf("has", "only works with url or token; remove it")
	}
	ways := []string{"url", "token", "link", "page", "offset"}
	switch given := slices.DeleteFunc(ways, func(key string) bool { return !r.Given(key) }); {
	case len(given) > 1:
		r.Problemf("", "must have one of url, token, link, page and offset")
	case (n.Token == nil) != (n.Query == ""):
		r.Problemf("", "must have both token and query: the token's path, and the parameter that sends it")
	}
}

// parameter is the name of the parameter that selects the page.
func (n *Next) parameter() string { return cmp.Or(n.Query, n.Page, n.Offset) }

// written is the key and its value that decide whether another page follows.
func (n *Next) written() string {
	switch {
	case n.Has != nil:
		return "has " + strings.Join(n.Has, ".")
	case n.URL != nil:
		return "url " + strings.Join(n.URL, ".")
	case n.Token != nil:
		return "token " + strings.Join(n.Token, ".")
	}
	return "link " + n.Link
}

// span is a requested range of time.
type span struct{ from, to time.Time }

// widened is the span in whole grains.
func (f *Filter) widened(s span) span {
	from := s.from.Truncate(f.Grain)
	to := s.to.Truncate(f.Grain)
	if to.Before(s.to) {
		to = to.Add(f.Grain)
	}
	return span{from, to}
}

// upTo is the part of the span that is old enough to be requested.
func (f *Filter) upTo(s span, now time.Time) span {
	grain := time.Second
	if f.MinAge > 0 {
		grain = f.Grain
	}
	s.to = earliest(s.to, now.Add(-f.MinAge).Truncate(grain))
	return s
}

func earliest(times ...time.Time) time.Time { return slices.MinFunc(times, time.Time.Compare) }
func latest(times ...time.Time) time.Time   { return slices.MaxFunc(times, time.Time.Compare) }

var timeIn = regexp.MustCompile(`\{(from|to)\|([^}]+)\}`)

// fill puts the ends of a span into a text.
func (s span) fill(text string) string {
	return timeIn.ReplaceAllStringFunc(text, func(found string) string {
		parts := timeIn.FindStringSubmatch(found)
		at := s.from
		if parts[1] == "to" {
			at = s.to
		}
		return language.FormatTime(at.UTC(), parts[2])
	})
}

// address is the address of the first page of a span. It has the name of a secret in braces in
// place of the secret, so that no secret gets into stored or shown texts; authorize puts the secret
// in.
func (l *List) address(s span, parameters map[string][]string) string {
	path := language.Expand(s.fill(l.Request.path()), parameters)
	query := url.Values{}
	for key, text := range l.Request.Query {
		query.Set(key, l.expandQuery(s.fill(text), parameters))
	}
	if l.Next.Page != "" && l.Next.In != inBody {
		query.Set(l.Next.Page, strconv.Itoa(l.Next.From))
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// expandQuery puts parameters into a text, and leaves the names of secrets in it.
func (l *List) expandQuery(text string, parameters map[string][]string) string {
	return language.ParameterIn.ReplaceAllStringFunc(text, func(found string) string {
		if l.secrets[found[1:len(found)-1]] {
			return found
		}
		return language.Expand(found, parameters)
	})
}

// secretNames are the secrets that a text names.
func secretNames(text string, secrets map[string]bool) (names []string) {
	for _, found := range language.ParameterIn.FindAllStringSubmatch(text, -1) {
		if secrets[found[1]] {
			names = append(names, found[1])
		}
	}
	return names
}

// withSecrets is a link to the next page in which the secrets of the first page's query stand by
// name again, whether the link has them or not.
func (l *List) withSecrets(link, first string) string {
	for key, text := range l.Request.Query {
		if len(secretNames(text, l.secrets)) == 0 || link == "" {
			continue
		}
		from, err := url.Parse(first)
		if err != nil {
			return link
		}
		u, err := url.Parse(link)
		if err != nil {
			return link // the client will refuse it
		}
		pairs := slices.DeleteFunc(strings.Split(u.RawQuery, "&"), func(pair string) bool {
			name, _, _ := strings.Cut(pair, "=")
			name, err := url.QueryUnescape(name)
			return pair == "" || err == nil && name == key
		})
		u.RawQuery = strings.Join(append(pairs, url.Values{key: {from.Query().Get(key)}}.Encode()), "&")
		link = u.String()
	}
	return link
}

// withParameter is an address with another parameter, or with another value of it.
func withParameter(address, key, value string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("the address of a page can't be read") // it may contain a token
	}
	query := u.Query()
	query.Set(key, value)
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// validateAuth reports choices that can't be made by a source's parameters.
func (d *Definition) validateAuth(r *config.Report) {
	all := d.HTTP.Auth.Choices
	if d.HTTP.Auth.When != nil {
		r.Problemf("http.auth.when", "chooses one of a list; make auth a list")
	}
	for i, a := range all {
		key := fmt.Sprintf("http.auth[%d]", i)
		d.validateNames(r, key+".when", a.When.Parameters())
		switch {
		case a.OAuth2 != nil:
			r.Problemf(key+".oauth2", "can't be one of several; remove the others")
		case a.When == nil && i < len(all)-1:
			r.Problemf(key, "has no when, so the ones after it are never used; add when, or put it last")
		case a.When != nil && !a.When.OnlyParameters():
			r.Problemf(key+".when", "must compare the source's parameters, such as {parameter.auth: query}")
		}
	}
}

// requestSecrets are the secrets that queries and bodies of the block's feeds name, in braces.
func (b *Block) requestSecrets() (all []string) {
	for name := range b.Feeds {
		f := b.definition.Feeds[name]
		texts, _ := f.Request.texts()
		if f.Totals != nil {
			more, _ := f.Totals.Request.texts()
			language.AddKeys(texts, "totals", more)
		}
		for _, text := range texts {
			for _, secret := range secretNames(text, f.secrets) {
				all = append(all, "{"+secret+"}")
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
