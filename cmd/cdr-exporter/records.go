package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/labels"
)

type records struct {
	source, feed string
	from, to     string
	output       string
	recordings   bool
}

func newRecords(c *kingpin.CmdClause) command {
	r := &records{}
	run := configCommand(c, r.run)
	c.Flag("source", "Name of the source.").Required().StringVar(&r.source)
	c.Flag("feed", "Feed of the source.").Required().StringVar(&r.feed)
	rangeFlags(c, &r.from, &r.to, "now", "0s")
	c.Flag("output", "table, jsonl or csv.").Default("table").EnumVar(&r.output, "table", "jsonl", "csv")
	c.Flag("recordings", "Look up the type and length of recordings, never their content.").BoolVar(&r.recordings)
	return run
}

func (r *records) run(ctx context.Context, c *commandConfig, s streams) error {
	from, to, err := parseRange(r.from, r.to, time.Now(), time.UTC)
	if err != nil {
		return err
	}
	redactor, err := c.redactor(ctx)
	if err != nil {
		return err
	}
	source, err := c.open(r.source)
	if err != nil {
		return err
	}
	feed, err := findFeed(source, r.source, r.feed)
	if err != nil {
		return fmt.Errorf("--feed: %w", err)
	}
	if r.recordings && feed.Recording == nil {
		return errors.New("--recordings: the provider has no other data about recordings than this feed's records; " +
			"remove the flag")
	}
	printer, flush := newPrinter(r.output, r.recordings, s.out)
	printing := &printing{
		from: from, to: to, feed: feed, source: r.source, labels: c.labels, advise: source.Advise, redactor: redactor,
		printer: printer, errors: s.errors, resolve: r.recordings,
	}
	if err := printing.run(ctx); err != nil {
		return fmt.Errorf("read %s/%s: %w", r.source, r.feed, advised(source, err))
	}
	return flush()
}

// findFeed finds a feed whose records can be read.
func findFeed(source *collector.Source, sourceName, name string) (*collector.FeedInfo, error) {
	var others []string
	problem := fmt.Sprintf("source %s has no feed %s that can be read", sourceName, name)
	for i := range source.Feeds {
		feed := &source.Feeds[i]
		switch {
		case feed.Name == name && feed.ActiveCalls != nil:
			problem = fmt.Sprintf("%s of source %s is calls in progress, which become records when they end", name,
				sourceName)
		case feed.Name == name && feed.IsPostedOnly():
			problem = fmt.Sprintf("%s of source %s: %s", name, sourceName, keepsNothing)
		case feed.Reader == nil:
		case feed.Name != name:
			others = append(others, feed.Name)
		default:
			return feed, nil
		}
	}
	if len(others) > 0 {
		problem += "; the feeds are " + strings.Join(others, ", ")
	}
	return nil, errors.New(problem)
}

// printing reads a range and prints the calls that started within it.
type printing struct {
	from, to time.Time
	feed     *collector.FeedInfo
	advise   func(error) (what, todo string)
	source   string
	labels   *labels.Set
	redactor *cdr.Redactor
	printer  recordPrinter
	errors   io.Writer
	resolve  bool // look recordings up

	seed maphash.Seed
	// starts by hash of the id, for this piece, whose pages may repeat a row
	seen       map[uint64]time.Time
	begin, end time.Time                          // of this piece: rows around it belong to another piece
	recordings map[string]collector.RecordingInfo // that were looked up, each once
}

// run reads the range in pieces that the provider allows.
func (p *printing) run(ctx context.Context) error {
	p.seed, p.seen, p.recordings = maphash.MakeSeed(), make(map[uint64]time.Time),
		make(map[string]collector.RecordingInfo)
	driver := collector.Driver{Reader: p.feed.Reader, Fetcher: p.feed.Fetcher, Commit: p.page}
	driver.Missing = func(task work.Item, err error) {
		fmt.Fprintf(p.errors, "record %s: left out: %v\n", task.Key, err)
	}
	driver.Waits = func(part error) { fmt.Fprintln(p.errors, part) }
	read := func(ctx context.Context, from, to time.Time) error {
		p.begin, p.end = from, to
		clear(p.seen)
		return driver.Read(ctx, from, to)
	}
	loop := collector.SpanLoop{Longest: p.feed.Limits.MaxRange, Read: read}
	return loop.Run(ctx, p.from, p.feed.Limits.ReadTo(p.to, time.Now()))
}

// page prints a page.
func (p *printing) page(ctx context.Context, page *collector.Page) error {
	p.labels.Apply(p.source, page.Records)
	for _, bad := range page.Invalid {
		fmt.Fprintf(p.errors, "%s: left out: %s\n", bad.At, bad.Problem)
	}
	isWithin := func(at, from, to time.Time) bool { return !at.Before(from) && at.Before(to) }
	for _, record := range page.Records {
		ofPiece := p.feed.Limits.EndsWithin > 0 || isWithin(record.Start, p.begin, p.end) // else pieces are of ends
		if !ofPiece || !isWithin(record.Start, p.from, p.to) {
			continue
		}
		if record.ID != "" {
			id := maphash.String(p.seed, record.ID)
			was, repeated := p.seen[id]
			// counting.md 38
			if repeated && (!p.feed.Rules.ByArrival || record.Start.Sub(was).Abs() <= counting.SameCall) {
				continue
			}
			p.seen[id] = record.Start
		}
		if err := p.print(ctx, record); err != nil {
			return err
		}
	}
	return nil
}

func (p *printing) print(ctx context.Context, record *cdr.Record) error {
	for i := range record.Charges {
		c := &record.Charges[i]
		c.Currency = cmp.Or(c.Currency, p.feed.Currency) // as in counting
	}
	p.redactor.Redact(record)
	recordings, err := p.recordingsOf(ctx, record)
	if err != nil {
		return err
	}
	if err := p.printer(record, recordings); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// recordingsOf looks up the recordings of a record. It prints a failure; it only returns an error
// when the context has ended.
func (p *printing) recordingsOf(ctx context.Context, record *cdr.Record) (all []recording, err error) {
	if !p.resolve {
		return nil, nil
	}
	for _, of := range record.Recordings {
		info, asked := p.recordings[of.ID]
		if !asked && of.ID != "" {
			info, err = p.feed.Recording(ctx, of.ID)
			if ctx.Err() != nil {
				return nil, fmt.Errorf("look up recordings: %w", context.Cause(ctx))
			}
			if err != nil {
				what, todo := p.advise(err)
				fmt.Fprintf(p.errors, "recording %s: only its id and type are known: %s; %s\n",
					strconv.QuoteToASCII(of.ID), what, todo)
			}
			p.recordings[strings.Clone(of.ID)] = info
		}
		all = append(all, recording{of.ID, of.Type, info.ContentType, info.Duration.Seconds()})
	}
	return all, nil
}

// recording is the printed part of a recording. Its content is never requested.
type recording struct {
	ID          string `json:"id,omitempty"`
	Type        string `json:"type,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	// Seconds is its length; zero if unknown.
	Seconds float64 `json:"duration_seconds,omitempty"`
}

// recordingCells are the columns of tables and CSV with --recordings. Each column has the values of
// all recordings of a call, in the same order.
func recordingCells(all []recording) []cell {
	cells := []cell{
		{column: "recording_id"},
		{column: "recording_type"},
		{column: "recording_content_type"},
		{column: "recording_duration_seconds"},
	}
	for i := range cells {
		texts := make([]string, len(all))
		for j, r := range all {
			seconds := ""
			if r.Seconds != 0 {
				seconds = strconv.FormatFloat(r.Seconds, 'f', -1, 64)
			}
			texts[j] = []string{r.ID, r.Type, r.ContentType, seconds}[i]
		}
		if strings.Join(texts, "") != "" {
			cells[i].value = strings.Join(texts, "; ")
		}
	}
	return cells
}
