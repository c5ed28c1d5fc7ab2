package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/match"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// readPiece is how much of a provider's calls is read at once.
const readPiece = 24 * time.Hour

// bookReader reads two books.
type bookReader struct {
	command  *matchCommand
	settings match.Settings
	folder   string
	errors   io.Writer
	books    [2]*book
	leftOut  int // rows and records
}

// book is one side.
type book struct {
	*match.Book
	openedFeed
	unreadRows
}

func (r *bookReader) close() error {
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
	if m.file.definition == "" {
		r.books[1], err = r.openFeed(c, "--right", m.right, m.rightTrunk)
		if err != nil && c.Source(sourceOf(m.right)) == nil && isFile(m.right) {
			err = errors.New("--right is a file: say with --definition which definition reads it")
		}
		return err
	}
	opened, err := m.file.open(c, m.right, nil)
	if err != nil {
		return fmt.Errorf("--right: %w", err)
	}
	r.books[1] = r.newBook(m.right, opened, m.rightTrunk)
	return nil
}

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

// openFeed opens a book that is a feed of the configuration.
func (r *bookReader) openFeed(c *commandConfig, flag, name, trunk string) (*book, error) {
	sourceName, feed, both := strings.Cut(name, "/")
	if !both || c.Source(sourceName) == nil {
		return nil, fmt.Errorf("%s: give SOURCE/FEED; the sources of %s are: %s", flag, c.file,
			strings.Join(c.sourceNames(), ", "))
	}
	if readsFiles(c.Source(sourceName).Provider) {
		c.now = afterWriting
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
	return r.newBook(name, openedFeed{info, source, c.Source(sourceName).Provider}, trunk), nil
}

func (r *bookReader) newBook(name string, opened openedFeed, trunk string) *book {
	settings := match.BookSettings{
		Name: name, Country: r.command.country, Trunk: trunk, Rules: opened.Rules, Currency: opened.Currency,
		Folder: r.folder,
	}
	if b, is := opened.block.(*declared.Block); is && len(b.Values[declared.TimeZone]) > 0 {
		settings.Zone, _ = time.LoadLocation(b.Values[declared.TimeZone][0]) // it was valid when the source was opened
	}
	return &book{match.NewBook(settings), opened, unreadRows{name: name, out: r.errors}}
}

// read reads both books.
func (r *bookReader) read(ctx context.Context) error {
	for _, b := range r.books {
		if err := r.readBook(ctx, b); err != nil {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			what, todo := b.source.Advise(err)
			return fmt.Errorf("read %s: %s; %s", b.name, what, todo)
		}
		if err := b.end(); err != nil {
			return err
		}
		r.leftOut += b.unread
	}
	return nil
}

// readBook reads the rows that may pair with a call of the range. It reads all of a file, which may
// be in any order.
func (r *bookReader) readBook(ctx context.Context, b *book) error {
	info, now := b.FeedInfo, time.Now()
	from, to := r.settings.From.Add(-r.settings.Around()), r.settings.To.Add(r.settings.Around())
	if info.Rules.Legs { // a call may have begun before, and end afterwards
		from, to = from.Add(-info.WholeAfter), to.Add(info.WholeAfter)
	}
	driver := &collector.Driver{Reader: info.Reader, Fetcher: info.Fetcher, Commit: b.commit}
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
func (b *book) commit(_ context.Context, page *collector.Page) error {
	b.add(page)
	for _, record := range page.Records {
		if err := b.Add(record); err != nil {
			return errors.Join(history.ErrLocal, err)
		}
	}
	return nil
}
