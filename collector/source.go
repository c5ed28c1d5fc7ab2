package collector

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// Provider is one provider of call records, as its folder offers it. internal/app has the list of them.
type Provider struct {
	// Name is the key of its block in the configuration and the label `provider`.
	Name string
	// SubCodes explain the provider's own codes, in addition to SIP codes, with ranges for codes without a row; nil:
	// it has none.
	SubCodes []cdr.Cause
	// NewConfig returns a pointer to an empty block, for internal/config to decode.
	NewConfig func() any
	// Open makes a source of a valid block. It sends no request. Its errors contain no secrets.
	Open func(config any, settings SourceSettings) (*Source, error)

	feeds func() []FeedProperties
}

// Feeds are all that a source of the provider can have.
func (p *Provider) Feeds() []FeedProperties {
	if p.feeds == nil {
		return nil
	}
	return p.feeds()
}

// LazyProvider is a provider without sub codes that load makes, once, when it is first used.
func LazyProvider(name string, load func() Provider) Provider {
	made := sync.OnceValue(load)
	return Provider{
		Name: name, NewConfig: func() any { return made().NewConfig() },
		Open:  func(config any, settings SourceSettings) (*Source, error) { return made().Open(config, settings) },
		feeds: func() []FeedProperties { p := made(); return p.Feeds() },
	}
}

// FeedProperties say what the records of a feed contain. A provider declares them once; rules, dashboards and docs
// follow from them.
type FeedProperties struct {
	// Name is the label `feed`.
	Name string
	// Snapshot: the feed shows calls in progress and has no records.
	Snapshot bool
	// Reasons: records say why a call didn't connect, so that NER can be computed.
	Reasons bool
	// SIPCodes: records carry the final SIP response code.
	SIPCodes bool
	// Streams: records say how the media of a call went.
	Streams bool
	// Visits: records have visits to queues. NoCalls: they have nothing else, so the feed has no calls.
	Visits, NoCalls bool
	// Coverage describes which calls the feed has, for people. Empty: all of the account.
	Coverage string
	// Overlaps: the same calls are in other feeds too, so its calls are never added to theirs.
	Overlaps bool
}

// NewProvider is a provider whose block is a *C.
func NewProvider[C any](
	name string, open func(block *C, settings SourceSettings) (*Source, error), feeds ...FeedProperties,
) Provider {
	return Provider{
		Name:      name,
		feeds:     func() []FeedProperties { return feeds },
		NewConfig: func() any { return new(C) },
		Open: func(config any, settings SourceSettings) (*Source, error) {
			block, ok := config.(*C)
			if !ok {
				return nil, fmt.Errorf("the configuration of %s is a %T", name, config)
			}
			if settings.Now == nil {
				settings.Now = time.Now
			}
			settings.Logger = cmp.Or(settings.Logger, slog.New(slog.DiscardHandler))
			source, err := open(block, settings)
			if err != nil {
				return nil, err
			}
			for i := range source.Feeds {
				f := &source.Feeds[i]
				if declared := slices.IndexFunc(feeds,
					func(p FeedProperties) bool { return p.Name == f.Name }); declared >= 0 {
					f.Properties = feeds[declared]
				}
			}
			return source, nil
		},
	}
}

// SourceSettings are what a source needs in addition to its provider's block.
type SourceSettings struct {
	// Settings are what all clients of the source have in common. A provider completes a copy for each.
	httpclient.Settings

	// Name is the label `source`.
	Name string
	// EmergencyNumbers are the numbers that count as emergency services.
	EmergencyNumbers []string
	// Origins asks for cdr.Record.Origins, which providers with a definition know.
	Origins bool
	// Notified counts notifications; nil: for commands, which get none.
	Notified NotificationObserver
	// Derive returns a secret for a purpose, the same for as long as the ledger lives; nil for commands.
	Derive func(purpose string) []byte
	// LoadSecret returns the text that ReplaceSecret last stored for the source, nil if there is none; nil without a
	// ledger.
	LoadSecret func(ctx context.Context) ([]byte, error)
	// ReplaceSecret stores one encrypted text for the source; it is durable when the error is nil. It
	// calls spend for the text, but only if it can store it; nil for commands, which must not change it.
	ReplaceSecret func(ctx context.Context, spend func() (sealed []byte, err error)) error
	// Now is the local clock; nil: time.Now.
	Now func() time.Time
}

// Source is one account of one provider, ready to be read. Its functions are safe for concurrent use.
type Source struct {
	// Feeds are those that the configuration asks for, at least one.
	Feeds []FeedInfo
	// Account names the credential whose limit of requests all feeds share, without secrets. One
	// process reads all sources of an account. Empty: no other source has this account.
	Account string
	// CredentialExpiry is when the source's certificate or signed token expires; zero if that isn't known.
	CredentialExpiry func() time.Time
	// Advise says what an error means and what to do about it. Both texts are one line, without
	// secrets, and never empty.
	Advise func(err error) (what, todo string)
	// Offset is the provider's clock minus the local one, and whether it is known.
	Offset func() (time.Duration, bool)
	// ThrottledUntil is when the next request may be sent; zero: now.
	ThrottledUntil func() time.Time
	// Budget is the provider's published limit of requests for the credential; nil: it publishes none.
	Budget func() httpclient.Budget
	// Roles requests a token and returns its roles; nil: the provider's tokens have none.
	Roles func(ctx context.Context) ([]string, error)
	// LookUp fetches one call by its id. Its errors are ErrNotYet, ErrGone and those that Advise
	// explains; nil: the provider doesn't offer it.
	LookUp func(ctx context.Context, id string) (*CallTree, error)
	// Close closes idle connections. The feeds must have stopped.
	Close func()
}

// FeedInfo is one feed of a source: how it is read and how it is configured.
type FeedInfo struct {
	// Name is the label `feed`.
	Name string
	// Properties are those that the provider declares; NewProvider sets them.
	Properties FeedProperties
	// Reader reads ranges of time, within Limits.
	Reader RangeReader
	Limits Limits
	// SkipUnchanged is the Reader for one loop, without the rows that the cache has or that it has yielded before; nil:
	// the provider can't leave out any.
	SkipUnchanged func(cache RowCache) RangeReader
	// Stream reads records in the order in which they appeared. Only a loop uses it. For commands,
	// Reader reads spans of the same records.
	Stream StreamReader
	// Unread is how much time Stream couldn't read, since the provider has deleted it or can't give it. It is called
	// between reads. nil: that isn't known.
	Unread func() time.Duration
	// Fetcher fetches the records that the Reader's lists and the Webhook only name.
	Fetcher      Fetcher
	Subscription SubscriptionManager
	Webhook      *Webhook
	// Posted makes a page of the tasks that a Webhook enqueued on replicas that don't read the feed.
	Posted func(tasks []work.Item) *Page
	// Rules are the traits of the records that counting depends on.
	Rules Rules
	// ActiveCalls, in place of a Reader, counts calls in progress: a snapshot that isn't committed.
	ActiveCalls ActiveCalls
	// Interval, Lookback, LateAfter, Settle and WholeAfter are the feed's keys in the
	// configuration; only feeds with Rules.Legs have the last two.
	Interval, Lookback, LateAfter, Settle, WholeAfter time.Duration
	// Fingerprint names the account that is read (counting.md 19).
	Fingerprint string
	// SameAccount says that the operator confirms the account: a different Fingerprint replaces the old one.
	SameAccount bool
	// OtherAccount is appended to the message on another Fingerprint: what to do if the account may
	// be the same one.
	OtherAccount string
	// Currency stands in for a currency that the provider doesn't give.
	Currency string
	// Recording requests the type and length of a recording, never its content; nil: the provider
	// doesn't offer it.
	Recording func(ctx context.Context, id string) (RecordingInfo, error)
	// Probe authenticates and reads the feed's smallest page.
	Probe func(ctx context.Context) (rows int, err error)
}

// PollInterval is how often the feed is polled. With a webhook of notifications that is twice the
// interval, because the list is then only the fallback (counting.md 12).
func (i *FeedInfo) PollInterval() time.Duration {
	if i.Webhook != nil && i.Posted == nil {
		return 2 * i.Interval
	}
	return i.Interval
}

// IsPostedOnly says that the feed's records are only posted: what it counted can't be read again.
func (i *FeedInfo) IsPostedOnly() bool { return i.Posted != nil && i.Reader == nil }

// RecordingInfo describes a recording.
type RecordingInfo struct {
	// ContentType is the media type, such as audio/mpeg.
	ContentType string
	// Duration is the recording's own; zero if it isn't given.
	Duration time.Duration
}

// CallTree is one call as the provider describes it, for people to read: the call itself, and
// below it its participants, its sessions, their segments and streams. It isn't redacted yet: each
// field has a class of privacy, and the caller redacts it before printing.
type CallTree struct {
	// Label says what it is, such as `session` or `stream`. It is never personal.
	Label string
	// Fields describe it, in reading order. Measures are texts with their unit.
	Fields   []cdr.Attr
	Children []*CallTree
}
