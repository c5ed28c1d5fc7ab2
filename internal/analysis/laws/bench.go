package laws

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// bench is one feed under test. Nothing in it changes once it is made, but output and runs.
type bench struct {
	definition *declared.Definition
	provider   collector.Provider
	name       string
	feed       declared.Feed
	tests      *declared.Tests
	judges     func(law string) bool // whether the settings want a law

	// The source, see source.go.
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

	folder string
	output *output
	runs   atomic.Int64
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
func newBench(s *Settings, v *variant, folder string) (*bench, error) {
	b := &bench{
		definition: s.Definition, provider: declared.NewProvider(s.Definition), name: v.feed,
		feed: s.Definition.Feeds[v.feed], tests: v.tests, dsn: s.DSN, folder: folder, output: new(output),
		keys: make(map[string]any), secrets: make(map[string]string),
		judges: func(law string) bool { return (v.laws == nil || slices.Contains(v.laws, law)) && s.judges(law) },
	}
	b.setParameters(s)
	if err := b.open(); err != nil {
		return nil, err
	}
	b.readAnswers()
	return b, b.readRows(v.saved)
}
