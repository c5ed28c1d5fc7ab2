package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/match"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

const (
	// fileBook is the name of the source that reads a file.
	fileBook   = "file"
	columnsKey = declared.Columns
	// readPiece is how much of a provider's calls is read at once.
	readPiece = 24 * time.Hour
	// mostNotes is how many rows that can't be read are named.
	mostNotes = 10
)

// bookReader reads two books.
type bookReader struct {
	command  *matchCommand
	settings match.Settings
	folder   string
	errors   io.Writer
	books    [2]*book
	opened   []*collector.Source
	leftOut  int // rows and records
}

// book is one side.
type book struct {
	*match.Book

	name    string
	info    *collector.FeedInfo
	advise  func(error) (what, todo string)
	rows    int
	bad     int
	problem string // of the first row that can't be read
}

func (r *bookReader) close() error {
	for _, source := range r.opened {
		if source.Close != nil {
			source.Close()
		}
	}
	var errs []error
	for _, b := range r.books {
		if b != nil {
			errs = append(errs, b.Close())
		}
	}
	return errors.Join(errs...)
}

// open opens both books, without network access.
func (r *bookReader) open(c *commandConfig) (err error) {
	m := r.command
	if r.books[0], err = r.openFeed(c, "--left", m.left, m.trunk); err != nil {
		return err
	}
	if m.definition == "" {
		r.books[1], err = r.openFeed(c, "--right", m.right, m.rightTrunk)
		if err != nil && c.Source(sourceOf(m.right)) == nil && isFile(m.right) {
			err = errors.New("--right is a file: say with --definition which definition reads it")
		}
		return err
	}
	r.books[1], err = r.openFile()
	return err
}

// later is the clock of sources of files: they are read as they are, and nothing is waited for that
// may still be written.
func later() time.Time { return time.Now().Add(readPiece) }

// readsFiles says whether the block of a source names files.
func readsFiles(block any) bool {
	b, is := block.(*declared.Block)
	if !is {
		return false
	}
	paths := b.Values["paths"]
	for _, f := range b.Feeds {
		paths = append(slices.Clip(paths), f.Paths...)
	}
	return len(paths) > 0
}

func sourceOf(name string) string {
	source, _, _ := strings.Cut(name, "/")
	return source
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// openFeed opens a book that is a feed of the configuration.
func (r *bookReader) openFeed(c *commandConfig, flag, name, trunk string) (*book, error) {
	sourceName, feed, both := strings.Cut(name, "/")
	if !both || c.Source(sourceName) == nil {
		return nil, fmt.Errorf("%s: give SOURCE/FEED; the sources of %s are: %s", flag, c.file,
			strings.Join(c.sourceNames(), ", "))
	}
	if readsFiles(c.Source(sourceName).Provider) {
		c.now = later
		defer func() { c.now = nil }()
	}
	source, err := c.open(sourceName)
	if err != nil {
		return nil, err
	}
	info, err := (&records{source: sourceName, feed: feed}).find(source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return r.newBook(name, source, info, trunk, c.Source(sourceName).Provider), nil
}

// openFile opens a book that a definition reads.
func (r *bookReader) openFile() (*book, error) {
	m := r.command
	if !isFile(m.right) {
		return nil, fmt.Errorf("--right: no file %s", m.right)
	}
	config, feed, err := m.fileSource()
	if err != nil {
		return nil, err
	}
	var node yaml.Node
	if err := node.Encode(config); err != nil {
		return nil, fmt.Errorf("--set: %w", err)
	}
	c, providers, err := app.LoadConfig(app.Settings{ConfigFile: m.definition, ConfigNode: &node}, true)
	if err != nil {
		return nil, err
	}
	s := c.Source(fileBook)
	settings := app.SourceSettings(s, nil)
	settings.Now = later
	source, err := app.OpenSource(s, providers, settings)
	if err != nil {
		return nil, err
	}
	r.opened = append(r.opened, source)
	at := slices.IndexFunc(source.Feeds, func(f collector.FeedInfo) bool { return f.Name == feed })
	return r.newBook(m.right, source, &source.Feeds[at], m.rightTrunk, s.Provider), nil
}

func (r *bookReader) newBook(
	name string, source *collector.Source, info *collector.FeedInfo, trunk string, block any,
) *book {
	settings := match.BookSettings{
		Name: name, Country: r.command.country, Trunk: trunk, Rules: info.Rules, Currency: info.Currency,
		Folder: r.folder,
	}
	if b, is := block.(*declared.Block); is && len(b.Values[declared.TimeZone]) > 0 {
		settings.Zone, _ = time.LoadLocation(b.Values[declared.TimeZone][0]) // it was valid when the source was opened
	}
	return &book{Book: match.NewBook(settings), name: name, info: info, advise: source.Advise}
}

// loadFeed reads a definition and finds its feed. An only feed doesn't have to be named.
func loadFeed(file, feed string) (*declared.Definition, string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, "", fmt.Errorf("read the definition: %w", err)
	}
	d, err := declared.Load(file, text)
	if err != nil {
		return nil, "", err
	}
	names := slices.Sorted(maps.Keys(d.Feeds))
	if feed == "" && len(names) == 1 {
		feed = names[0]
	}
	if !slices.Contains(names, feed) {
		return nil, "", fmt.Errorf("--feed: give one of the feeds of %s: %s", file, strings.Join(names, ", "))
	}
	if d.Files == nil && d.Feeds[feed].Files == nil {
		return nil, "", fmt.Errorf("--definition: %s doesn't read files; give one with `files`", file)
	}
	return d, feed, nil
}

// read reads both books.
func (r *bookReader) read(ctx context.Context) error {
	for _, b := range r.books {
		if err := r.readBook(ctx, b); err != nil {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			what, todo := b.advise(err)
			return fmt.Errorf("read %s: %s; %s", b.name, what, todo)
		}
		r.leftOut += b.bad
		if b.bad > 0 {
			fmt.Fprintf(r.errors, "%s: %d rows can't be read and are left out\n", b.name, b.bad)
		}
		if b.bad > 0 && b.rows == 0 {
			return fmt.Errorf("no row of %s can be read: %s; see that it has the columns of its definition", b.name,
				b.problem)
		}
	}
	return nil
}

// readBook reads the rows that may pair with a call of the range. It reads all of a file, which may
// be in any order.
func (r *bookReader) readBook(ctx context.Context, b *book) error {
	info, now := b.info, time.Now()
	from, to := r.settings.From.Add(-r.settings.Around()), r.settings.To.Add(r.settings.Around())
	if info.Rules.Legs { // a call may have begun before, and end afterwards
		from, to = from.Add(-info.WholeAfter), to.Add(info.WholeAfter)
	}
	driver := &collector.Driver{Reader: info.Reader, Fetcher: info.Fetcher, Commit: b.commit(r.errors)}
	driver.Missing = func(task work.Item, err error) {
		r.leftOut++
		fmt.Fprintf(r.errors, "%s: record %s: left out: %v\n", b.name, task.Key, err)
	}
	if info.Stream != nil {
		return driver.Read(ctx, time.Unix(0, 0).UTC(), now.AddDate(1, 0, 0).UTC())
	}
	if edge := history.KeptSince(info, now); from.Before(edge) {
		fmt.Fprintf(r.errors, "%s: the provider has no calls before %s\n", b.name, edge.Format(time.RFC3339))
		from = edge
	}
	if to = info.Limits.ReadTo(to, now); to.After(now) {
		to = now
	}
	piece := readPiece
	if longest := info.Limits.MaxRange; longest > 0 {
		piece = min(piece, longest)
	}
	loop := collector.SpanLoop{Longest: piece, MayPass: history.MayPass, Read: driver.Read}
	return loop.Run(ctx, from, to)
}

// commit adds a page.
func (b *book) commit(errs io.Writer) func(context.Context, *collector.Page) error {
	return func(_ context.Context, page *collector.Page) error {
		for _, bad := range page.Invalid {
			if b.bad++; b.bad <= mostNotes {
				fmt.Fprintf(errs, "%s: %s: left out: %s\n", b.name, bad.At, bad.Problem)
			}
			b.problem = bad.Problem
		}
		for _, record := range page.Records {
			b.rows++
			if err := b.Add(record); err != nil {
				return errors.Join(history.ErrLocal, err)
			}
		}
		return nil
	}
}
