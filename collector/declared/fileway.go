package declared

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// filesWay reads files that another program writes.
type filesWay struct {
	block *Block
	now   func() time.Time
}

// fileSettings are what a reader of files needs.
type fileSettings struct {
	feed    *feed
	files   *Files
	paths   []string // patterns
	columns []string // of the source; nil: it gives none
	now     func() time.Time
}

// readsFiles says whether the source names files to read: beside push it needn't.
func (b *Block) readsFiles() bool {
	return b.definition.hasFiles() && (!b.pushes() || len(b.Values[pathsKey]) > 0)
}

func (w *filesWay) describe(source *collector.Source) {
	d := w.block.definition
	if d.Account != "" {
		source.Account = w.block.account()
	}
	source.Advise = (&advice.Provider{Name: d.title()}).Advise
}

func (w *filesWay) read(info *collector.FeedInfo, f *feed) {
	s := &fileSettings{feed: f, files: w.block.definition.filesOf(f.Feed), paths: w.block.Values[pathsKey], now: w.now}
	if f.Files != nil {
		s.paths = f.Paths
	}
	if given := w.block.Values[columnsKey]; len(given) > 0 && f.Files == nil {
		s.columns = given
	}
	info.Stream = &linesReader{s}
	if s.files.Read == readWhole {
		info.Stream = &wholeReader{s}
	}
	info.Rules.ByArrival = true
	info.Reader = collector.SpanReader{Stream: info.Stream}
	info.Fingerprint = w.block.account() + " " + f.name
	info.Probe = func(ctx context.Context) (int, error) { return s.probe(ctx, info.Reader) }
}

// probe reads the first page.
func (s *fileSettings) probe(ctx context.Context, reader collector.RangeReader) (rows int, err error) {
	list := listFiles(s.paths)
	if err := list.err(); err != nil {
		return 0, err
	}
	if len(list.files) == 0 {
		return 0, &advice.Error{
			What: "no file matches " + strings.Join(s.paths, ", "), Todo: "see that paths are right, that the files are there, and that they aren't compressed",
		}
	}
	for page, err := range reader.Pages(ctx, time.Time{}, s.now()) {
		if err != nil {
			return rows, err
		}
		if rows += len(page.Records) + len(page.Invalid); rows > 0 {
			break
		}
	}
	return rows, nil
}

// names are the names of a row's values: the source's, the definition's, or those in the file's first line. inFile says that they are there. The
// error is io.EOF if that line isn't complete yet.
func (s *fileSettings) names(rows *fileRows) (names []string, inFile bool, err error) {
	switch {
	case s.files.Format != formatCSV:
		return nil, false, nil
	case s.columns != nil:
		return s.columns, false, nil
	case len(s.files.Columns) > 0:
		return s.files.Columns, false, nil
	}
	row, err := rows.next()
	if err == nil && row.problem != "" {
		err = errors.New("its first line doesn't name the columns: " + row.problem)
	}
	return row.fields, true, err
}

// Keys of a source's block.
const (
	pathsKey   = "paths"
	columnsKey = "columns"
)

// Patterns are names of files with *, relative to the folder of the configuration: a list, or one text.
type Patterns []string

// DecodeNode implements config.NodeDecoder.
func (p *Patterns) DecodeNode(n *config.Node) {
	var names texts
	n.Decode(&names)
	for _, text := range names {
		if text == "" {
			n.Problemf("has an empty pattern; give the names of files, such as /var/log/asterisk/cdr-csv/Master.csv*")
			continue
		}
		if _, err := filepath.Match(text, ""); err != nil {
			n.Problemf("has a pattern that can't be read; * stands for anything, ? for one character, [a-z] for one of these")
			continue
		}
		*p = append(*p, n.Resolve(text))
	}
}

// hasFiles says whether feeds are read from files.
func (d *Definition) hasFiles() bool { return d.Files != nil || d.allHaveFiles() }

// allHaveFiles says whether every feed has files of its own.
func (d *Definition) allHaveFiles() bool {
	for _, f := range d.Feeds {
		if f.Files == nil {
			return false
		}
	}
	return len(d.Feeds) > 0
}

// addFileParameters adds the keys that a source gives for files.
func (d *Definition) addFileParameters(all map[string]Parameter) {
	if d.Files == nil {
		return
	}
	all[pathsKey] = Parameter{Ask: "Files to read, such as /var/log/acmetel/*.csv", List: true, optional: true}
	if d.Files.Format == formatCSV {
		all[columnsKey] = Parameter{List: true, optional: true}
	}
}

// validateFiles reports keys that the feeds which are read need.
func (b *Block) validateFiles(r *config.Report) {
	needs := make(map[string]string) // keys, and what is to be given
	for name, keys := range b.Feeds {
		switch feed := b.definition.Feeds[name]; {
		case b.definition.filesOf(&feed) == nil:
			continue
		case feed.Files == nil && b.pushes():
		case feed.Files == nil:
			needs[pathsKey] = "the files to read, such as [/var/log/acmetel/calls.csv*]"
		case len(keys.Paths) == 0:
			needs[name+"."+pathsKey] = "the files of this feed, such as [/var/log/acmetel/queues.csv*]"
		}
		if feed := b.definition.Feeds[name]; feed.Record.needsZone() {
			needs[timeZone] = "the time zone of the files' times, such as Europe/Berlin"
		}
	}
	for _, key := range slices.Sorted(maps.Keys(needs)) {
		if len(b.Values[key]) == 0 {
			r.Problemf(key, "is missing; give %s", needs[key])
		}
	}
}
