package laws

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// mostRepeats is how often an answer is given again: more often than the exporter repeats a request.
const mostRepeats = 10

// replayer gives saved answers in their order.
type replayer struct {
	bench   *bench
	first   int
	answers []savedAnswer

	mu      sync.Mutex
	given   int
	repeats int // how often the exporter repeated the last request
	problem string
}

// RoundTrip implements http.RoundTripper.
func (p *replayer) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.given == len(p.answers) || !p.answers[p.given].AsksForToken() {
		if token := p.bench.token(r); token != nil {
			return token, nil
		}
	}
	refuse := answer(r, http.StatusForbidden, nil, "{}")
	if p.problem != "" {
		return refuse, nil
	}
	if p.given == len(p.answers) {
		p.problem = fmt.Sprintf("after answers[%d] it asks further: %s %s", p.first+p.given-1, r.Method,
			r.URL.RequestURI())
		return refuse, nil
	}
	a := &p.answers[p.given]
	name := fmt.Sprintf("answers[%d]", p.first+p.given)
	body := string(bodyOf(r))
	if problem := p.bench.differs(a, r, body); problem != "" {
		// The exporter asks again for a page that it can't use. It gets the same page, so that its error says why.
		if last := p.given - 1; last >= 0 && p.repeats < mostRepeats &&
			p.bench.differs(&p.answers[last], r, body) == "" {
			p.repeats++
			return given(r, &p.answers[last]), nil
		}
		p.problem = name + ": " + problem
		return refuse, nil
	}
	p.given, p.repeats = p.given+1, 0
	return given(r, a), nil
}

// differs says how a request differs from the request of an answer; empty: it doesn't.
func (b *bench) differs(a *savedAnswer, r *http.Request, body string) string {
	method, _, _ := strings.Cut(a.Request, " ")
	path, host := a.url.Path, cmp.Or(a.url.Host, b.host)
	if a.url.Host == "" {
		path = b.absolute(path)
	}
	switch {
	case r.URL.Host != host:
		return fmt.Sprintf("it asks %s, want %s", r.URL.Host, host)
	case r.Method != method || r.URL.Path != path:
		return fmt.Sprintf("it asks %s %s, want %s %s", r.Method, r.URL.Path, method, path)
	}
	want, got := a.url.Query(), r.URL.Query()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if !slices.Equal(want[key], got[key]) {
			return fmt.Sprintf("it asks with %s=%s, want %s=%s", key, strings.Join(got[key], ","), key,
				strings.Join(want[key], ","))
		}
		delete(got, key)
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if values := strings.Join(got[key], ","); !b.hasSecret(values) {
			return fmt.Sprintf("it asks with %s=%s, which the request of the answer doesn't have", key, values)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.With)) {
		want, got := a.With[name], r.Header.Get(name)
		user, password, basic := r.BasicAuth()
		if basic && strings.EqualFold(name, "Authorization") && strings.Contains(want, ":") {
			got = "Basic " + user + ":" + password // as tests write it
		}
		if got != want {
			return fmt.Sprintf("it asks with the header %s: %s, want %s", name, got, want)
		}
	}
	if a.Sends != "" {
		var wanted, sent any
		wantedErr, sentErr := decode(string(a.Sends), &wanted), decode(body, &sent)
		if a.AsksForToken() {
			wanted, wantedErr = url.ParseQuery(string(a.Sends))
			sent, sentErr = url.ParseQuery(body)
		}
		if wantedErr != nil || sentErr != nil || encode(wanted) != encode(sent) {
			return fmt.Sprintf("it sends %s, want %s", body, a.Sends)
		}
	}
	return ""
}

// hasSecret says whether a text has a secret of the source.
func (b *bench) hasSecret(text string) bool {
	for _, secret := range b.secrets {
		if strings.Contains(text, secret) {
			return true
		}
	}
	return false
}

// says is what was wrong with the requests of a replay.
func (p *replayer) says(err error) string {
	switch {
	case p.problem != "":
		return p.problem
	case err != nil:
		return fmt.Sprintf("answers[%d]: %s", p.first+max(p.given-1, 0), err)
	case p.given < len(p.answers):
		return fmt.Sprintf("it never asks for answers[%d], %s", p.first+p.given, p.answers[p.given].Request)
	}
	return ""
}
