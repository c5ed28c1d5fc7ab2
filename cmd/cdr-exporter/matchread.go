package main

import (
	"context"
	"errors"
	"fmt"
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

// book is one side.
type book struct {
	*match.Book
	openedFeed
	unreadRows
}

// open opens both books, without network access.
func (m *matchCommand) open(c *commandConfig) (left, right *book, err error) {
	if left, err = m.openFeed(c, "--left", m.left, m.trunk); err != nil {
		return nil, nil, err
	}
	if m.file.definition == "" {
		right, err = m.openFeed(c, "--right", m.right, m.rightTrunk)
		if source, _, _ := strings.Cut(m.right, "/"); err != nil && c.Source(source) == nil && isFile(m.right) {
			err = errors.New("--right is a file: say with --definition which definition reads it")
		}
		return left, right, err
	}
	opened, err := m.file.open(c, m.right, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("--right: %w", err)
	}
	return left, m.newBook(m.right, opened, m.rightTrunk), nil
}

// readsFiles says whether the block of a source names files.
func readsFiles(block any) bool {
	b, is := block.(*declared.Block)
	if !is {
		return false
	}
	paths := len(b.Values["paths"])
	for _, f := range b.Feeds {
		paths += len(f.Paths)
	}
	return paths > 0
}

// openFeed opens a book that is a feed of the configuration.
func (m *matchCommand) openFeed(c *commandConfig, flag, name, trunk string) (*book, error) {
	sourceName, feed, both := strings.Cut(name, "/")
	settings := c.Source(sourceName)
	if !both || settings == nil {
		return nil, fmt.Errorf("%s: give SOURCE/FEED; the sources of %s are: %s", flag, c.file,
			strings.Join(c.sourceNames(), ", "))
	}
	if readsFiles(settings.Provider) {
		c.now = afterWriting
		defer func() { c.now = nil }()
	}
	source, err := c.open(sourceName)
	if err != nil {
		return nil, err
	}
	info, err := findFeed(source, sourceName, feed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return m.newBook(name, openedFeed{info, source, settings.Provider}, trunk), nil
}

func (m *matchCommand) newBook(name string, opened openedFeed, trunk string) *book {
	settings := match.BookSettings{
		Name: name, Country: m.country, Trunk: trunk, Rules: opened.Rules, Currency: opened.Currency, Folder: m.folder,
		OpenSince: time.Now().Add(-opened.Lookback),
	}
	if b, is := opened.block.(*declared.Block); is {
		settings.Zone = b.Zone
	}
	return &book{match.NewBook(settings), opened, unreadRows{name: name, out: m.errors}}
}

// read reads the rows that may pair with a call of the range. It reads all of a file, which may be in any order.
func (m *matchCommand) read(ctx context.Context, b *book) error {
	info, now, from, to := b.FeedInfo, time.Now(), time.Unix(0, 0).UTC(), time.Now().AddDate(1, 0, 0).UTC()
	driver := &collector.Driver{Reader: info.Reader, Fetcher: info.Fetcher, Commit: b.commit}
	driver.Missing = func(task work.Item, err error) {
		m.leftOut++
		fmt.Fprintf(m.errors, "%s: record %s: left out: %v\n", b.name, task.Key, err)
	}
	driver.Waits = func(part error) { fmt.Fprintf(m.errors, "%s: %v\n", b.name, part) }
	loop := collector.SpanLoop{Read: driver.Read}
	if info.Stream == nil {
		around := m.settings.Around()
		if from, to = m.settings.From.Add(-around), m.settings.To.Add(around); to.After(now) {
			to = now
		}
		from, to = history.ReadRange(info, from, to, now)
		if m.settings.From.Before(from) {
			fmt.Fprintf(m.errors, "%s: the provider has no calls before %s\n", b.name, from.Format(time.RFC3339))
		}
		loop.Longest, loop.MayPass = readPiece, history.MayPass
		if longest := info.Limits.MaxRange; longest > 0 {
			loop.Longest = min(loop.Longest, longest)
		}
	}
	if err := loop.Run(ctx, from, to); err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		return fmt.Errorf("read %s: %w", b.name, advised(b.source, err))
	}
	m.leftOut += b.unread
	return b.end()
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
