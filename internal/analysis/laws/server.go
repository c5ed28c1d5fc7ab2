package laws

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
)

// server is a provider over HTTP. Nothing leaves the process: it stands in the place of the network.
type server struct {
	*run

	rows  []*row // that it lists: those that are shown, until `between` changes them
	mu    sync.Mutex
	asked map[string][2]int // of each page its number, and how often the exporter asked for it
}

func (*server) block() map[string]any { return nil }

func (*server) close() error { return nil }

func (s *server) show() error {
	s.rows = s.shown
	return nil
}

// RoundTrip implements http.RoundTripper.
func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(time.Microsecond) // an answer takes time: a row may come while a list is read
	body := bodyOf(r)
	if token := s.token(r); token != nil {
		return token, nil
	}
	if r.URL.Host != s.host {
		return s.misunderstand(r, http.StatusNotFound, "a request went to "+r.URL.Host), nil
	}
	if day, is := s.isTotals(r.URL); is {
		return answer(r, http.StatusOK, nil, s.totals(day)), nil
	}
	if _, list := s.nameList(r.URL.Path); list != nil {
		return s.names(r, body), nil
	}
	return s.list(r, body), nil
}

// misunderstand answers a request that no provider would understand, which breaks the law.
func (s *server) misunderstand(r *http.Request, status int, problem string) *http.Response {
	s.wrong = append(s.wrong, problem)
	return answer(r, status, nil, `{"error":"bad request"}`)
}

// names answers a request for a list of names as tests do.
func (s *server) names(r *http.Request, body []byte) *http.Response {
	for i := range s.answers {
		if a := &s.answers[i]; a.kind == ofNames && s.differs(a, r, string(body)) == "" {
			return given(r, a)
		}
	}
	return s.misunderstand(r, http.StatusNotFound,
		"the answers of tests lack the list of names "+r.Method+" "+r.URL.RequestURI())
}

// totals answers with the provider's own total of a day.
func (s *server) totals(day time.Time) string {
	n := 0
	for _, r := range s.rows {
		if r.counts() && !r.at.Before(day) && r.at.Before(day.Add(24*time.Hour)) {
			n++
		}
	}
	return encode(put(nil, s.feed.Totals.Calls, n))
}

// isTotals says whether an address gives the provider's own total of a day, and of which.
func (b *bench) isTotals(u *url.URL) (day time.Time, is bool) {
	if b.feed.Totals == nil {
		return day, false
	}
	asked := b.feed.Totals.Request
	q := request{}
	if !q.read(b.absolute(language.Expand(asked.Path[0], b.values)), u.Path) {
		return day, false
	}
	for key, template := range asked.Query {
		if !q.read(language.Expand(template, b.values), u.Query().Get(key)) {
			return day, false
		}
	}
	return q.from, true
}

// token answers a request for a token of OAuth 2.0, or to end its session; nil: it is another request.
func (b *bench) token(r *http.Request) *http.Response {
	o := b.definition.HTTP.Auth.OAuth2
	if o == nil {
		return nil
	}
	if b.isTokenURL(r.URL.Host, r.URL.Path) {
		return answer(r, http.StatusOK, nil, `{"access_token":"`+accessToken+
			`","token_type":"bearer","expires_in":3600,"refresh_token":"`+nextRefreshToken+`"}`)
	}
	if o.RevokeURL != "" && r.URL.Path == b.absolute(o.RevokeURL) {
		return answer(r, http.StatusOK, nil, "")
	}
	return nil
}

// isTokenURL says whether tokens are requested there.
func (b *bench) isTokenURL(host, path string) bool {
	o := b.definition.HTTP.Auth.OAuth2
	if o == nil {
		return false
	}
	at, err := url.Parse(language.Expand(o.TokenURL, b.values))
	return err == nil && path == at.Path && (at.Host == "" || at.Host == host)
}

// asked is the host and the path of an answer's request.
func (b *bench) asked(u *url.URL) (host, path string) {
	if u.Host == "" {
		return b.host, b.absolute(u.Path)
	}
	return u.Host, u.Path
}

// absolute is a path from the host, as links are: one without a slash begins at the path of base_url.
func (b *bench) absolute(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return b.basePath + "/" + path
}

// bodyOf is the body of a request.
func bodyOf(r *http.Request) []byte {
	if r.Body == nil {
		return nil
	}
	body, _ := io.ReadAll(r.Body) // it lies in memory
	return body
}

// given is an answer of tests.
func given(r *http.Request, a *savedAnswer) *http.Response {
	header := http.Header{}
	for key, value := range a.Headers {
		header.Set(key, value)
	}
	return answer(r, cmp.Or(a.Status, http.StatusOK), header, string(a.Body))
}

func answer(r *http.Request, status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Request: r,
		Body:    io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}
