package laws

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// bench is one feed under test. Nothing in it changes once the law plain is judged, but what processes write.
type bench struct {
	definition *declared.Definition
	provider   collector.Provider
	name       string
	variant    string // behind the feed's name; empty: the tests themselves
	feed       declared.Feed
	tests      *declared.Tests
	judges     func(law string) bool // whether the settings want a law

	// The source.
	keys    map[string]any      // of its block; the feed has its own in it
	values  map[string][]string // that stand for parameters
	secrets map[string]string
	zone    *time.Location
	info    *collector.FeedInfo // of a source that is never read

	// The rows of tests, see row.go and given.go.
	rows    []*row // all; none of a database
	base    []*row // those that the provider has
	records []*cdr.Record
	columns []string
	began   time.Time // the clock at the beginning of a script
	plain   played    // what the script of the law plain came to

	// What tests say of an HTTP API, see saved.go.
	answers        []savedAnswer
	names          map[string]map[string]string // for ids, by list
	host, basePath string
	counter        *web.List // that gives the total of an export; nil: its pages do
	followed, last string    // answers: one that another page follows, and a last one; empty: there is none
	relative       bool      // the next page's address has no host

	// A database, see database.go.
	driver, dsn string                     // of the real one; empty: SQLite
	dsnOf       func(schema string) string // in the real one
	setup       []*row                     // statements before those of base
	page        *collector.Page

	folder  string
	logger  *slog.Logger // of all processes
	written bytes.Buffer // by logger
}

// newBench prepares the tests of a feed.
func newBench(s *Settings, v *variant, folder string) (*bench, error) {
	b := &bench{
		definition: s.Definition, provider: declared.NewProvider(s.Definition), name: v.feed, variant: v.name,
		feed: s.Definition.Feeds[v.feed], tests: v.tests, dsn: s.DSN, folder: folder,
		keys: make(map[string]any), secrets: make(map[string]string),
		judges: func(law string) bool { return (v.laws == nil || slices.Contains(v.laws, law)) && s.judges(law) },
	}
	b.logger = slog.New(slog.NewTextHandler(&b.written, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.setParameters(s)
	if err := b.open(); err != nil {
		return nil, err
	}
	b.readAnswers()
	return b, b.readRows(v.saved)
}

// sourceName is the name of the source.
const sourceName = "test"

// What the tests make up.
const (
	accessToken      = "kit-access-token-secret"
	nextRefreshToken = "kit-next-refresh-token-secret"
)

// setParameters makes up the parameters of the source and of the feed, and gives those their values that tests and the
// settings have.
func (b *bench) setParameters(s *Settings) {
	for key, p := range b.definition.Parameters {
		switch name := strings.ReplaceAll(key, "_", "-"); {
		case p.Map != "" || p.Default != nil && !p.Secret:
		case p.Secret:
			b.keys[key] = "kit-secret-of-" + name
		case p.List:
			b.keys[key] = []string{"kit"}
		default:
			b.keys[key] = "kit-" + name
		}
	}
	b.keys[declared.TimeZone] = "UTC"
	if b.definition.HTTP != nil && b.definition.HTTP.BaseURL == "" {
		b.keys["base_url"] = "https://provider.example"
	}
	for key, values := range b.tests.Parameters {
		b.setParameter(key, values)
	}
	for key, values := range s.Set {
		b.setParameter(key, values)
	}
	if !b.takesZone() { // each time has its own
		delete(b.keys, declared.TimeZone)
	}
	if b.definition.Push != nil && b.feed.Files == nil {
		b.keys["token"] = "kit-secret-of-push"
	}
	for key, value := range b.keys {
		if b.definition.Parameters[key].Secret || key == "token" {
			b.secrets[key] = fmt.Sprint(value)
		}
	}
}

// setParameter gives a parameter its values, unless it is one of another feed.
func (b *bench) setParameter(key string, values []string) {
	_, ofFeed := b.feed.Parameters[key]
	for _, f := range b.definition.Feeds {
		if _, ofOther := f.Parameters[key]; ofOther && !ofFeed {
			return
		}
	}
	b.definition.SetParameter(b.keys, b.name, key, values)
}

// takesZone says whether a source has a time zone.
func (b *bench) takesZone() bool {
	block, is := b.provider.NewConfig().(*declared.Block)
	isZone := func(s config.Setting) bool { return s.Key == declared.TimeZone }
	return is && slices.ContainsFunc(block.Settings(), isZone)
}

// open makes a source that is never read, and learns from it.
func (b *bench) open() error {
	b.definition.Unlimited()
	if b.definition.SQL != nil && b.dsn == "" {
		b.definition.SQL.Driver = "sqlite" // also in place of a parameter
	}
	keys := (&run{bench: b, script: new(script)}).newWorld("").block()
	configured, source, err := b.openSource(keys, time.Hour, collector.SourceSettings{})
	if err != nil {
		return err
	}
	source.Close()
	block, is := configured.Provider.(*declared.Block)
	if !is {
		return errors.New("the definition has no block")
	}
	b.info, b.zone, b.values = &source.Feeds[0], block.Zone, block.ValuesOf(b.name)
	read, counter := b.feed.Chosen(b.values)
	b.feed.List, b.counter = *read, counter
	for key, secret := range b.secrets {
		b.values[key] = []string{secret}
	}
	if b.dsn != "" {
		b.driver = language.Expand(b.definition.SQL.Driver, b.values)
		if err := b.readDSN(); err != nil {
			return err
		}
	}
	if u, err := url.Parse(block.BaseURL); err == nil {
		b.host, b.basePath = u.Host, strings.TrimSuffix(u.Path, "/")
	}
	if b.columns = block.Values[declared.Columns]; len(b.columns) > 0 {
		b.feed.SetColumns(b.columns)
	}
	return nil
}

// openSource opens the source with further keys in its block.
func (b *bench) openSource(more map[string]any, history time.Duration, settings collector.SourceSettings) (
	configured *config.Source, source *collector.Source, err error,
) {
	if configured, err = b.configure(more, history); err != nil {
		return nil, nil, err
	}
	settings.Name, settings.UserAgent = sourceName, "cdr-exporter"
	source, err = b.provider.Open(configured.Provider, settings)
	return configured, source, err
}

// configure is a source of the provider, as a configuration has it, with further keys in its block.
func (b *bench) configure(more map[string]any, history time.Duration) (*config.Source, error) {
	keys, feed := maps.Clone(b.keys), make(map[string]any)
	if ofFeed, is := keys[b.name].(map[string]any); is {
		maps.Copy(feed, ofFeed)
	}
	for key, value := range more {
		if key == "paths" && b.feed.Files != nil {
			feed[key] = value
		} else {
			keys[key] = value
		}
	}
	if b.definition.Push != nil && more["paths"] != nil {
		delete(keys, "token")
	}
	keys[b.name] = feed
	text, err := yaml.Marshal(map[string]any{"sources": []any{map[string]any{
		"name": sourceName, "history": history.Truncate(time.Second).String(), b.definition.Provider: keys,
	}}})
	if err != nil {
		return nil, err
	}
	c, err := config.Parse("tests.parameters", text,
		config.Options{Providers: map[string]func() any{b.definition.Provider: b.provider.NewConfig}})
	if err != nil {
		return nil, err
	}
	return &c.Sources[0], nil
}
