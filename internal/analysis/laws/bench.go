package laws

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
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
	laws       []string // that are judged; none: all
	answers    []declared.TestAnswer
	keys       map[string]any      // of the source's block
	values     map[string][]string // that stand for parameters
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
	if err := b.readRows(saved); err != nil {
		return nil, err
	}
	b.learn()
	return b, nil
}

// setParameter gives a parameter its values. A key such as carriers.acme gives the values of one name of a parameter
// with `map`.
func (b *bench) setParameter(key string, values []string) {
	of, inner, isMap := strings.Cut(key, ".")
	p, ofFeed := b.feed.Parameters[of]
	if !ofFeed {
		p = b.definition.Parameters[of]
	}
	switch {
	case isMap:
		all, _ := b.keys[of].(map[string]any)
		if all == nil {
			all = make(map[string]any)
		}
		if all[inner] = values; p.Map == "columns" {
			all[inner] = strings.Join(values, ",")
		}
		b.keys[of] = all
	case p.List, key == declared.Columns:
		b.keys[key] = values
	case len(values) > 0:
		b.keys[key] = strings.Join(values, ",")
	}
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
	if block, is := b.provider.NewConfig().(*declared.Block); is && b.keys[declared.TimeZone] == nil {
		takesZone := func(s config.Setting) bool { return s.Key == declared.TimeZone }
		if slices.ContainsFunc(block.Settings(), takesZone) {
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
	feed := make(map[string]any)
	keys := maps.Clone(b.keys)
	for key, value := range b.keys {
		for name, f := range b.definition.Feeds {
			if _, is := f.Parameters[key]; is {
				if delete(keys, key); name == b.name {
					feed[key] = value
				}
			}
		}
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
	b.feed.List = b.feed.Chosen(b.values)
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
	b.zone = time.UTC
	if zone := decoded.Values[declared.TimeZone]; len(zone) == 1 {
		if b.zone, err = time.LoadLocation(zone[0]); err != nil {
			return err
		}
	}
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
	return declared.NewMapper(&b.feed, declared.MapperSettings{Parameters: b.values, Zone: b.zone, Now: b.newest})
}

// newest is the clock for times without a year: after all rows.
func (b *bench) newest() time.Time {
	if b.began.IsZero() {
		return time.Now() //nolint:forbidigo // a file of tests has no clock
	}
	return b.began
}

// readRows reads the rows of tests, and those that were saved.
func (b *bench) readRows(saved []byte) (err error) {
	if b.definition.SQL != nil {
		for i, text := range statements(b.tests.Tables) {
			r := &row{name: fmt.Sprintf("statement %d of tables", i+1), text: text}
			if len(text) > 6 && strings.EqualFold(text[:6], "insert") {
				b.base = append(b.base, r)
			} else {
				b.setup = append(b.setup, r)
			}
		}
		return b.readTables()
	}
	if b.rows, err = flatten(b.name, b.tests.Rows); err != nil {
		return err
	}
	texts, err := b.split(saved)
	if err != nil {
		return fmt.Errorf("read the saved rows: %w", err)
	}
	for i, text := range texts {
		b.rows = append(b.rows, &row{name: fmt.Sprintf("row %d of the saved rows", i+1), text: text})
	}
	if len(b.columns) == 0 {
		b.columns = columnsOf(b.rows)
	}
	at := make(map[string]int)
	for _, r := range b.rows {
		r.rows, r.mapped = b.readRow(r.text, r.of)
		if record := r.mapped.Record; record != nil {
			if r.at = record.Start; b.filteredBy() == "end" && !record.End.IsZero() {
				r.at = record.End
			}
			r.key = record.ID
		}
		if r.key == "" {
			r.key = r.text
		}
		i, known := at[r.key]
		switch {
		case b.isFile(r.text):
		case !known:
			at[r.key] = len(b.base)
			b.base = append(b.base, r)
		case b.base[i].mapped.Record != nil && !b.base[i].counts() && r.counts():
			b.base[i] = r
		}
		if r.at.After(b.began) {
			b.began = r.at
		}
		if record := r.mapped.Record; record != nil && record.End.After(b.began) {
			b.began = record.End
		}
	}
	// A row that stays open counts as it is once it is as old as the lookback. No law is about that.
	b.base = slices.DeleteFunc(b.base, func(r *row) bool {
		return r.mapped.Record != nil &&
			r.mapped.Record.Provisional
	})
	for _, r := range b.base { // what has no time is listed with the newest
		if r.at.IsZero() {
			r.at = b.began
		}
	}
	return nil
}

// readTables reads the rows of the tables, for their times.
func (b *bench) readTables() (err error) {
	if b.read, err = b.readShown(b.base); err != nil {
		return err
	}
	for _, r := range b.read.Records {
		b.began = latest(b.began, latest(r.Start, r.End))
	}
	for _, r := range b.read.Records {
		if len(b.base) > 0 && (b.base[0].at.IsZero() || r.Start.Before(b.base[0].at)) {
			b.base[0].at = r.Start // the oldest
		}
	}
	return nil
}

// withTables uses a database whose tables statements filled.
func (b *bench) withTables(statements []*row, use func(w world) error) error {
	path, err := os.MkdirTemp(b.folder, "")
	if err != nil {
		return err
	}
	w := (&run{bench: b, script: new(script), shown: statements}).newWorld(path)
	if err = w.show(); err == nil {
		err = use(w)
	}
	return errors.Join(err, w.close())
}

// readShown reads all rows of tables that statements fill.
func (b *bench) readShown(statements []*row) (page *collector.Page, err error) {
	err = b.withTables(statements, func(w world) (err error) {
		from, to := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
		if page, err = b.readAll(w, from, to); err != nil {
			return fmt.Errorf("run the query on tests.tables: %w", err)
		}
		return nil
	})
	return page, err
}

// cloneRecord is a record that outlives its row.
func cloneRecord(r *cdr.Record) *cdr.Record {
	clone := *r
	clone.ID, clone.CallKey, clone.Parent = strings.Clone(r.ID), strings.Clone(r.CallKey), strings.Clone(r.Parent)
	clone.CallerNumber, clone.CalleeNumber, clone.Trunk = strings.Clone(r.CallerNumber), strings.Clone(r.CalleeNumber),
		strings.Clone(r.Trunk)
	return &clone
}

// readRow maps a text of one row, whose values of the feed's `for` are given, and says how many rows the
// exporter sees in it.
func (b *bench) readRow(text string, of map[string]string) (rows int, mapped rowmap.Result) {
	mapper := b.newMapper()
	mapper.Each(of)
	if b.feed.Format == "csv" && !b.isFile(text) || strings.HasPrefix(text, "<") {
		text = b.document([]string{text}) // an element of XML stands in those around it
	}
	for rows, mapped = range mapper.Try([]byte(text)) {
	}
	if mapped.Record != nil {
		mapped.Record = cloneRecord(mapped.Record)
	}
	return rows, mapped
}

// split are the rows of a saved answer or file.
func (b *bench) split(saved []byte) (texts []string, err error) {
	if len(saved) > 0 && b.feed.Format == "xml" {
		return elements(string(saved), b.feed.Rows)
	}
	rows, err := b.newMapper().Saved(saved)
	for i := range rows {
		if texts = append(texts, string(rows[i].Raw)); b.feed.Format == "csv" {
			b.columns = rows[i].Columns
		}
	}
	return texts, err
}

// elements are the texts of the elements of XML at the end of a path, at any depth; without a path the root.
func elements(text string, at []string) (all []string, err error) {
	if !utf8.ValidString(text) { // ISO-8859-1
		runes := make([]rune, len(text))
		for i := range runes {
			runes[i] = rune(text[i])
		}
		text = string(runes)
	}
	in := xml.NewDecoder(strings.NewReader(text))
	in.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // it is decoded
	var names []string
	for {
		begin := in.InputOffset()
		token, err := in.Token()
		switch {
		case errors.Is(err, io.EOF) && all == nil:
			return nil, errors.New("it has no element " + strings.Join(at, "."))
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, errors.New("it isn't valid XML")
		}
		switch t := token.(type) {
		case xml.StartElement:
			names = append(names, t.Name.Local)
			if len(at) > len(names) || !slices.Equal(names[len(names)-len(at):], at) {
				continue
			}
			if err := in.Skip(); err != nil {
				return nil, errors.New("it isn't valid XML")
			}
			all = append(all, text[begin:in.InputOffset()])
			names = names[:len(names)-1]
		case xml.EndElement:
			names = names[:len(names)-1]
		}
	}
}

// isFile says whether tests give a row of columns as a file, with the lines before it.
func (b *bench) isFile(text string) bool {
	return b.feed.Format == "csv" && b.layout().names && strings.Contains(text, "\n")
}

// learn takes from the answers how the provider writes a page that another one follows, and a last page.
func (b *bench) learn() {
	for i := range b.answers {
		a, body := &b.answers[i], any(nil)
		_, is := b.isTotals(requested(a))
		if is || a.AsksForToken() || a.Status > 299 || decode(string(a.Body), &body) != nil {
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
