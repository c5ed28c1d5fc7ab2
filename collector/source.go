package collector

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// Provider is one provider of call records, as its folder offers it. Registering
// one is adding it to the list that internal/app reads.
type Provider struct {
	// Name is the key of its block in the configuration and the label `provider`.
	Name string
	// NewConfig returns a pointer to an empty block, which internal/config decodes,
	// gives its defaults and validates.
	NewConfig func() any
	// Open makes a source of a valid block: what NewConfig returned, decoded. It asks
	// nothing of the network. Its errors hold no secrets.
	Open func(config any, settings SourceSettings) (*Source, error)
}

// SourceSettings are what a source needs beside its provider's block: the keys that
// all sources have, and what the program passes in.
type SourceSettings struct {
	// Name is the label `source`.
	Name string
	// TLS is the source's tls_config. Its files are read again when they change.
	TLS promconfig.TLSConfig
	// ProxyURL is the source's proxy; nil: as the environment says.
	ProxyURL *url.URL
	// RequestsPerMinute bounds the requests of all feeds together; 0: the provider's
	// own default.
	RequestsPerMinute int
	// EmergencyNumbers are the numbers that count as emergency services.
	EmergencyNumbers []string
	// UserAgent is sent with each request.
	UserAgent string
	// Observer is told of each request, with the feed or, for tokens, an empty one;
	// nil: nobody is.
	Observer httpclient.Observer
	// Logger gets retries and throttling; nil: nowhere.
	Logger *slog.Logger
	// Now is the local clock; nil: time.Now.
	Now func() time.Time
	// Transport replaces the network in tests; TLS and ProxyURL are then not used.
	Transport http.RoundTripper
}

// Source is one account of one provider, ready to be read. Its functions may be
// called from several goroutines at once.
type Source struct {
	// Feeds are those that the configuration asks for, at least one.
	Feeds []FeedInfo
	// CredentialExpiry is when the certificate or signed token that the source
	// authenticates with ends; zero if it has none or its end isn't known.
	CredentialExpiry func() time.Time
	// Advise says in plain words what an error of a feed or a probe means and what to
	// do about it. Both texts are one line, without secrets, and never empty.
	Advise func(err error) (what, todo string)
	// Offset is the provider's clock minus the local one, and whether it is known.
	Offset func() (time.Duration, bool)
	// ThrottledUntil is when the provider may be asked again; zero: now.
	ThrottledUntil func() time.Time
	// Close lets go of idle connections. The feeds must have stopped.
	Close func()
}

// FeedInfo is one feed of a source: how it is read and how it is configured.
type FeedInfo struct {
	// Name is the label `feed`.
	Name string
	// Reader reads ranges of time. A feed that can't be read so sets Feed instead.
	Reader RangeReader
	Feed   Feed
	// Interval, Lookback and LateAfter are the feed's keys in the configuration.
	Interval, Lookback, LateAfter time.Duration
	// Fingerprint names the account that is read: provider, tenant or account, host,
	// scope (counting.md 19).
	Fingerprint string
	// Currency stands in for a currency that the provider doesn't give.
	Currency string
	// Probe authenticates and reads the feed's smallest page; rows is how many calls
	// that held.
	Probe func(ctx context.Context) (rows int, err error)
}

// BadRow is a row that was set aside: a provider needs no other part of the ledger.
type BadRow = ledger.BadRow
