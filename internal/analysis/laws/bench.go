package laws

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// sourceName is the name of the source.
const sourceName = "test"

// What the tests make up.
const (
	accessToken      = "kit-access-token-secret"
	nextRefreshToken = "kit-next-refresh-token-secret"
)

// bench is one feed under test.
type bench struct {
	definition *declared.Definition
	provider   collector.Provider
	name       string
	feed       declared.Feed
	tests      *declared.Tests
	judges     func(law string) bool // whether the settings want a law
	counter    *web.List             // that gives the total of an export; nil: its pages do
	answers    []declared.TestAnswer
	names      map[string]map[string]string // for ids, by list
	keys       map[string]any               // of the source's block; the feed has its own in it
	values     map[string][]string          // that stand for parameters
	secrets    map[string]string
	zone       *time.Location
	info       *collector.FeedInfo // of a source that is never read

	rows    []*row // all of tests
	base    []*row // those that the provider has
	setup   []*row // what a database has before its rows
	columns []string
	read    *collector.Page // of a database, all rows

	host, basePath string
	followed, last string // answers of tests: one that another page follows, and a last one; empty: there is none
	relative       bool   // the next page's address has no host

	began  time.Time // the clock at the beginning of a script
	output *output
	folder string
	runs   atomic.Int64

	driver, dsn string // of the real database that has the tables; empty: SQLite
}

// output is all that processes write, for people to read.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// newBench prepares the tests of a feed.
func newBench(s *Settings, tests *declared.Tests, name, folder string, saved []byte) (*bench, error) {
	d := s.Definition
	b := &bench{
		dsn:        s.DSN,
		definition: d, provider: declared.NewProvider(d), name: name, feed: d.Feeds[name], output: new(output),
		folder: folder,
		tests:  tests, keys: make(map[string]any), secrets: make(map[string]string),
	}
	for _, a := range b.tests.Answers {
		if a.Feed == name || a.Feed == "" {
			b.answers = append(b.answers, a)
		}
	}
	for key, values := range b.tests.Parameters {
		b.setParameter(key, values)
	}
	for key, values := range s.Set {
		b.setParameter(key, values)
	}
	b.makeParameters()
	if err := b.open(); err != nil {
		return nil, err
	}
	b.readNames()
	if err := b.readRows(saved); err != nil {
		return nil, err
	}
	b.learn()
	return b, nil
}

// setParameter gives a parameter of the source or of the feed its values.
func (b *bench) setParameter(key string, values []string) {
	_, ofFeed := b.feed.Parameters[key]
	for _, f := range b.definition.Feeds {
		if _, ofOther := f.Parameters[key]; ofOther && !ofFeed {
			return
		}
	}
	b.definition.SetParameter(b.keys, b.name, key, values)
}

// makeParameters makes up the values of parameters that have none.
func (b *bench) makeParameters() {
	for key, p := range b.definition.Parameters {
		if _, given := b.keys[key]; given || p.Map != "" || p.Default != nil && !p.Secret {
			continue
		}
		switch {
		case p.Secret:
			b.keys[key] = "kit-secret-of-" + strings.ReplaceAll(key, "_", "-")
		case p.List:
			b.keys[key] = []string{"kit"}
		default:
			b.keys[key] = "kit-" + strings.ReplaceAll(key, "_", "-")
		}
	}
	if block, is := b.provider.NewConfig().(*declared.Block); is {
		takesZone := func(s config.Setting) bool { return s.Key == declared.TimeZone }
		switch takes := slices.ContainsFunc(block.Settings(), takesZone); {
		case !takes: // each time has its own
			delete(b.keys, declared.TimeZone)
		case b.keys[declared.TimeZone] == nil:
			b.keys[declared.TimeZone] = "UTC"
		}
	}
	if b.definition.Push != nil && b.feed.Files == nil {
		b.keys["token"] = "kit-secret-of-push"
	}
	if b.definition.HTTP != nil && b.definition.HTTP.BaseURL == "" {
		if _, given := b.keys["base_url"]; !given {
			b.keys["base_url"] = "https://provider.example"
		}
	}
	for key, value := range b.keys {
		if b.definition.Parameters[key].Secret || key == "token" {
			b.secrets[key] = fmt.Sprint(value)
		}
	}
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
	if sql := b.definition.SQL; sql != nil && b.dsn == "" && strings.HasPrefix(sql.Driver, "{") {
		keys[strings.Trim(sql.Driver, "{}")] = "sqlite"
	}
	keys[b.name] = feed
	source := map[string]any{
		"name": sourceName, "history": history.Truncate(time.Second).String(),
		b.definition.Provider: keys,
	}
	text, err := yaml.Marshal(map[string]any{"sources": []any{source}})
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

// open makes a source that is never read, and learns from it.
func (b *bench) open() error {
	b.definition.Unlimited()
	if sql := b.definition.SQL; sql != nil && b.dsn == "" && !strings.HasPrefix(sql.Driver, "{") {
		sql.Driver = "sqlite"
	}
	keys := (&run{bench: b, script: new(script)}).newWorld("").block()
	configured, source, err := b.openSource(keys, time.Hour, collector.SourceSettings{})
	if err != nil {
		return err
	}
	source.Close()
	b.info = &source.Feeds[0]
	decoded, is := configured.Provider.(*declared.Block)
	if !is {
		return errors.New("the definition has no block")
	}
	b.values = decoded.ValuesOf(b.name)
	read, counter := b.feed.Chosen(b.values)
	b.feed.List, b.counter = *read, counter
	if sql := b.definition.SQL; sql != nil {
		b.driver = language.Expand(sql.Driver, b.values)
	}
	for key, secret := range b.secrets {
		b.values[key] = []string{secret}
	}
	if b.dsn != "" {
		if err := b.readDSN(); err != nil {
			return err
		}
	}
	b.zone = decoded.Zone
	if u, err := url.Parse(decoded.BaseURL); err == nil {
		b.host, b.basePath = u.Host, strings.TrimSuffix(u.Path, "/")
	}
	b.columns = decoded.Values[declared.Columns]
	if len(b.columns) > 0 {
		b.feed.SetColumns(b.columns)
	}
	return nil
}

// newMapper makes a mapper. It is for one goroutine.
func (b *bench) newMapper() *declared.Mapper {
	m := declared.NewMapper(&b.feed, declared.MapperSettings{Parameters: b.values, Zone: b.zone, Now: b.newest})
	m.Names(b.names)
	return m
}

// learn takes from the answers how the provider writes a page that another one follows, and a last page.
func (b *bench) learn() {
	for i := range b.answers {
		a, body := &b.answers[i], any(nil)
		_, is := b.isTotals(requested(a))
		if is || b.isNames(a) || a.AsksForToken() || a.Status > 299 || decode(string(a.Body), &body) != nil {
			continue
		}
		if _, found := valueAt(body, b.feed.Rows); !found && len(b.feed.Rows) > 0 {
			continue
		}
		if next := b.nextIn(body); next == "" {
			b.last = cmp.Or(b.last, string(a.Body))
		} else if b.followed == "" {
			b.followed, b.relative = string(a.Body), strings.HasPrefix(next, "/")
		}
	}
}

// nextIn is the next page's address or token in a page; empty: it is the last one.
func (b *bench) nextIn(body any) string {
	n := &b.feed.Next
	if has, _ := valueAt(body, n.Has); n.Has != nil && isEmpty(has) {
		return ""
	}
	next, found := valueAt(body, slices.Concat(n.URL, n.Token)) // it has one of them
	if !found || isEmpty(next) {
		return ""
	}
	return fmt.Sprint(next)
}

// filteredBy is the time that the provider's filter means, as tests say or else the definition.
func (b *bench) filteredBy() string {
	if b.tests.By != "" {
		return b.tests.By
	}
	return b.feed.Filter.By
}

// pages says whether the provider gives its rows in pages.
func (b *bench) pages() bool {
	n := &b.feed.Next
	return n.URL != nil || n.Token != nil || n.Link != "" || n.Page != "" || n.Offset != ""
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
