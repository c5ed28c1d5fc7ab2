package wavix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// secretKey has characters that a URL escapes, so it is looked for in both forms.
const secretKey = "s3cr3t/k+y=&x"

// output is all that anybody is shown: logs, metrics, errors, advice, gauges.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// Request implements httpclient.Observer.
func (o *output) Request(feed, code string, _ time.Duration) { fmt.Fprintln(o, feed, code) }

// Throttled implements httpclient.Observer.
func (o *output) Throttled(feed string, _ time.Duration) { fmt.Fprintln(o, feed) }

// error writes an error in every form that somebody may print, its causes too.
func (o *output) error(source *collector.Source, err error) {
	if err == nil {
		return
	}
	what, todo := source.Advise(err)
	fmt.Fprintf(o, "%v %+v %#v %q %s %s\n", err, err, err, err, what, todo)
	switch e := err.(type) { //nolint:errorlint // each error of the chain is checked separately
	case interface{ Unwrap() error }:
		if cause := e.Unwrap(); cause != nil {
			o.error(source, cause)
		}
	case interface{ Unwrap() []error }:
		for _, cause := range e.Unwrap() {
			o.error(source, cause)
		}
	}
}

// everything does all that a source can do, once, and tells what comes of it.
func (o *output) everything(ctx context.Context, source *collector.Source) {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond) // a server that fails is asked again and again
	defer cancel()
	fmt.Fprintf(o, "%+v\n", source.Feeds)
	for _, feed := range source.Feeds {
		_, err := feed.Probe(ctx)
		o.error(source, err)
		if feed.Reader == nil {
			active, err := feed.ActiveCalls(ctx, false)
			o.error(source, err)
			fmt.Fprintln(o, active)
			continue
		}
		for page, err := range pagesOf(ctx, feed.Reader, noon.Add(-time.Hour), noon) {
			o.error(source, err)
			if err == nil {
				for _, bad := range page.Invalid {
					fmt.Fprintln(o, bad.At, bad.Problem)
				}
				fmt.Fprintln(o, page.Unmapped, page.Totals)
			}
		}
	}
}

// TestKeyIsNowhere: the key travels in the URL, and no error or log ever contains it.
func TestKeyIsNowhere(t *testing.T) {
	echo := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Request-Id", r.URL.RawQuery)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"success":false,"error":true,"message":"`+r.URL.RawQuery+`"}`)
		}
	}
	raw := func(answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, strings.ReplaceAll(answer, "URL", r.URL.String()))
			_ = conn.Close()
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"200 success false": echo(http.StatusOK), "400": echo(http.StatusBadRequest),
		"401": echo(http.StatusUnauthorized),
		"403": echo(http.StatusForbidden), "404": echo(http.StatusNotFound), "418": echo(http.StatusTeapot),
		"422": echo(http.StatusUnprocessableEntity), "500": echo(http.StatusInternalServerError),
		"503": echo(http.StatusServiceUnavailable),
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/v2"+r.URL.String(), http.StatusFound)
		},
		"redirect away": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://other.example"+r.URL.String(), http.StatusFound)
		},
		"HTML": func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "<html>"+r.URL.String()) },
		"rows": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"items":[{"date":%q},%q],"calls":[]}`, r.URL, r.URL)
		},
		"pagination": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"items":[],"pagination":{"total":%q}}`, r.URL)
		},
		"malformed":       raw("URL URL\r\nURL\r\n\r\n"),
		"malformed head":  raw("HTTP/1.1 200 OK\r\nURL\r\n\r\n"),
		"malformed chunk": raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nURL\r\n"),
		"cut":             raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"items\":[\"URL"),
		"closed":          raw(""),
	} {
		for _, format := range formats {
			t.Run(name+" "+format, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(handler)
				defer server.Close()
				all := new(output)
				all.everything(t.Context(), openAt(t, server.URL, format, all, nil))
				all.want(t)
			})
		}
	}
}

// TestKeyIsNowhereWithoutAServer: errors of the transport hold URLs.
func TestKeyIsNowhereWithoutAServer(t *testing.T) {
	failing := func(fail func(r *http.Request) error) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: fail(r)}
		})
	}
	for name, transport := range map[string]http.RoundTripper{
		"net": failing(func(*http.Request) error {
			return &net.OpError{
				Op: "dial", Net: "tcp",
				Err: errors.New("refused"),
			}
		}),
		"nested": failing(func(r *http.Request) error {
			return &url.Error{Op: "proxyconnect", URL: r.URL.String(), Err: fmt.Errorf("parse %q: bad", r.URL)}
		}),
		"plain": failing(func(*http.Request) error { return io.ErrUnexpectedEOF }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := new(output)
			all.everything(t.Context(), openAt(t, "https://api.wavix.example", formatJSON, all, transport))
			all.want(t)
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// want looks for the key, and makes sure that something was told.
func (o *output) want(t *testing.T) {
	t.Helper()
	text := o.text.String()
	for _, form := range []string{secretKey, url.QueryEscape(secretKey), "s3cr3t", queryKey + "="} {
		if at := strings.Index(text, form); at >= 0 {
			t.Errorf("%q was told: ...%s...", form, text[max(0, at-200):min(len(text), at+100)])
		}
	}
	if !strings.Contains(text, "call_log") || !strings.Contains(text, "active_calls") {
		t.Errorf("nothing was told: %s", text)
	}
}

// openAt makes a source with the key in the URL, whose log and metrics go to one place.
func openAt(t *testing.T, base, format string, all *output, transport http.RoundTripper) *collector.Source {
	t.Helper()
	c := new(Config)
	block := "auth: query\nbase_url: " + base + "\napi_key: '" + secretKey + "'\nformat: " + format +
		"\ncall_log: {}\nactive_calls: {}\n"
	if err := config.Unmarshal("config.yaml", []byte(block), c, config.Options{}); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(all, "%v %+v %#v\n", c, c, c)
	source, err := Provider().Open(c, collector.SourceSettings{
		Settings: httpclient.Settings{
			RequestsPerMinute: 60_000, Observer: all,
			Logger:    slog.New(slog.NewTextHandler(all, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Transport: transport,
		},
		Now: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return source
}

// TestQueryAuth: the key is in the URL and not in a header, escaped, beside what was
// asked.
func TestQueryAuth(t *testing.T) {
	fake := &fakeWavix{t: t, paths: generationA}
	source := fake.open("auth: query\ncall_log: {}\nactive_calls: {}\n", nil)
	for _, feed := range source.Feeds {
		if _, err := feed.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for i, asked := range fake.asked {
		query, err := url.ParseQuery(asked[strings.Index(asked, "?")+1:])
		if err != nil || len(query[queryKey]) != 1 || query.Get(queryKey) != testKey || fake.keys[i] != "" {
			t.Errorf("asked %s with the header %q", asked, fake.keys[i])
		}
	}
	if len(fake.asked) != 4 { // the newer paths and the older ones
		t.Errorf("asked %q", fake.asked)
	}

	r := &http.Request{URL: &url.URL{RawQuery: "page=2"}}
	inQuery(r, secretKey)
	if got := r.URL.RawQuery; got != "page=2&appid="+url.QueryEscape(secretKey) {
		t.Errorf("the query is %s", got)
	}
}

// TestKeyFile: it is read again when it changes; what holds no key is an error without
// its content.
func TestKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n")
	fake := &fakeWavix{t: t, paths: generationC}
	c := &Config{
		BaseURL: defaultBaseURL, APIKey: config.NewSecretFile(file), Auth: authBearer,
		ActiveCalls: new(config.ActiveCalls),
	}
	source, err := Provider().Open(c, collector.SourceSettings{Settings: httpclient.Settings{
		Transport:         fake,
		RequestsPerMinute: 60_000,
	}})
	if err != nil {
		t.Fatal(err)
	}
	probe := source.Feeds[0].Probe
	for _, key := range []string{"first", "second"} {
		write(" " + key + " \n")
		if _, err := probe(t.Context()); err != nil || fake.keys[len(fake.keys)-1] != "Bearer "+key {
			t.Errorf("the key came as %q, want %s; error %v", fake.keys, key, err)
		}
	}
	for _, content := range []string{"two words", "o\u00e9y", "a\nb"} {
		write(content)
		_, err := probe(t.Context())
		what, todo := source.Advise(err)
		if !errors.Is(err, errKey) || httpclient.KindOf(err) != httpclient.KindToken ||
			strings.Contains(what+todo, content) || !strings.Contains(todo, "api_key_file") {
			t.Errorf("%q: error %v: %s: %s", content, err, what, todo)
		}
	}

	// A 401 has the file read again.
	write("old")
	fake.wrong = func(r *http.Request, right reply) reply {
		if r.Header.Get("Authorization") == "Bearer old" {
			write("new")
			return reply{status: http.StatusUnauthorized}
		}
		return right
	}
	if _, err := probe(t.Context()); err != nil {
		t.Error(err)
	}
	// A file that is gone for a moment is tried again.
	if _, err := (keySource{config.NewSecretFile(file + "x")}).Token(t.Context()); !httpclient.IsRetryable(err) {
		t.Errorf("error %v, want one that may pass", err)
	}
}
