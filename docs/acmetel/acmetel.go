// Package acmetel is the provider that docs/adding-a-provider.md builds: a made-up
// telephone company with one list of calls. It is whole: its test reads it with the
// exporter itself.
package acmetel

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// begin: config

// Config is the block `acmetel` of a source.
type Config struct {
	BaseURL string        `yaml:"base_url"`
	APIKey  config.Secret `yaml:"api_key" ask:"API key, from AcmeTel's portal"` // and api_key_file
	CallLog *CallLog      `yaml:"call_log" ask:"Calls that have ended"`
}

// CallLog is the feed.
type CallLog struct {
	config.Feed `yaml:",inline"`
}

// SetDefaults implements config.Defaulter.
func (c *CallLog) SetDefaults() {
	c.Feed = config.Feed{Interval: time.Minute, Lookback: 24 * time.Hour, LateAfter: time.Hour}
}

// Validate implements config.Validator.
func (c *Config) Validate(r *config.Report) {
	r.BaseURL("base_url", c.BaseURL)
	if !r.Given("api_key") {
		r.Problemf("api_key", "is needed: make one in AcmeTel's portal")
	}
	r.AtLeastOne("a feed", "call_log")
}

// end: config

// begin: provider

// Provider is what internal/app registers.
func Provider() collector.Provider {
	return collector.NewProvider("acmetel", open, collector.FeedProperties{Name: "call_log", Reasons: true})
}

func open(c *Config, settings collector.SourceSettings) (*collector.Source, error) {
	s := settings.Settings
	s.BaseURL, s.Token, s.RequestsPerMinute = c.BaseURL, key{c.APIKey}, cmp.Or(s.RequestsPerMinute, 60)
	client, err := httpclient.New(s)
	if err != nil {
		return nil, err
	}
	log := &callLog{client: client, countries: cdr.NewCountries()}
	return &collector.Source{
		Feeds: []collector.FeedInfo{{
			Name: "call_log", Reader: log, Probe: collector.Probe(log, settings.Now),
			Limits:   collector.Limits{MaxRange: 31 * 24 * time.Hour, Retention: 365 * 24 * time.Hour},
			Interval: c.CallLog.Interval, Lookback: c.CallLog.Lookback, LateAfter: c.CallLog.LateAfter,
			Fingerprint: "acmetel " + client.Hostname(), Currency: "USD",
		}},
		Advise: advise,
		Offset: client.Offset, ThrottledUntil: client.ThrottledUntil, Close: client.Close,
	}, nil
}

// key is the API key as a token. It is read again when its file changes.
type key struct{ secret config.Secret }

// Token implements httpclient.TokenSource.
func (k key) Token(ctx context.Context) (string, error) { return k.secret.Value(ctx) }

// Invalidate implements httpclient.TokenSource. It does nothing, because the source has only one key.
func (k key) Invalidate(string) {}

// advise says what an error means and what to do.
func advise(err error) (what, todo string) {
	if httpclient.KindOf(err) == httpclient.KindUnauthorized {
		return "AcmeTel refuses the API key", "make a new key in its portal and put it into api_key_file"
	}
	return err.Error(), "it is tried again by itself; see status.acmetel.example if it lasts"
}

// end: provider

// begin: reader

// callLog reads ranges of time. It never changes, so it is safe for concurrent use.
type callLog struct {
	client    *httpclient.Client
	countries *cdr.Countries
}

// row is a call as AcmeTel writes it.
type row struct {
	ID       string    `json:"id"`
	Start    time.Time `json:"start"`
	Seconds  int64     `json:"seconds"`
	From, To string
	Result   string `json:"result"`
}

// Pages implements collector.RangeReader: page after page, each whole before it is handed on.
func (l *callLog) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	query := url.Values{"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}
	request := httpclient.Request{Feed: "call_log", URL: "calls?" + query.Encode(), Label: "calls", ExpectJSON: true}
	return func(yield func(*collector.Page, error) bool) {
		var body struct {
			Calls []json.RawMessage `json:"calls"`
			Next  string            `json:"next"`
		}
		decode := func(answer []byte) (next string, err error) {
			body.Calls, body.Next = nil, ""
			err = json.Unmarshal(answer, &body)
			return body.Next, httpclient.Retryable(err) // the client requests a broken page again
		}
		// It follows the links, and refuses one that leaves the host or repeats.
		for number, err := range l.client.Pages(ctx, request, 10_000, decode) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(l.page(body.Calls, number), nil) {
				return
			}
		}
	}
}

// page maps a page. A row that can't be read is set aside, and the rest goes on.
func (l *callLog) page(rows []json.RawMessage, number int) *collector.Page {
	p := &collector.Page{}
	for i, raw := range rows {
		var r row
		if err := json.Unmarshal(raw, &r); err != nil || r.ID == "" || r.Start.IsZero() || r.Seconds < 0 {
			p.Invalid = append(p.Invalid, collector.BadRow{
				Content: raw, At: fmt.Sprintf("page %d, row %d", number, i+1),
				Problem: "id, start or seconds can't be read",
			})
			continue
		}
		outcome, known := outcomes[r.Result]
		if !known {
			outcome = cdr.Unknown
			p.Unmapped = append(p.Unmapped, collector.Unmapped{Field: "result", Value: r.Result})
		}
		p.Records = append(p.Records, &cdr.Record{
			ID: r.ID, Start: r.Start.UTC(), Duration: time.Duration(r.Seconds) * time.Second,
			Direction: cdr.Outbound, CallType: "call", Outcome: outcome,
			CallerNumber: r.From, CalleeNumber: r.To, Country: l.countries.Of(r.To),
		})
	}
	return p
}

var outcomes = map[string]cdr.Outcome{
	"answered": cdr.Answered, "busy": cdr.Busy, "unanswered": cdr.NoAnswer, "error": cdr.Failed,
}

// end: reader
