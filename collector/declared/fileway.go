package declared

import (
	"context"
	"fmt"
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
	feed  *feed
	files *Files
	paths []string // patterns
	now   func() time.Time
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
	files, paths := *f.files, w.block.Values[pathsKey]
	if f.Files != nil {
		paths = f.Paths
	} else if given := w.block.Values[columnsKey]; len(given) > 0 {
		files.Columns, files.Widths = given, nil
	}
	s := &fileSettings{feed: f, files: &files, paths: paths, now: w.now}
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

// A page of rows of files is bounded by both.
const (
	filePageRows  = 1000
	filePageBytes = 4 << 20
)

// filePages makes pages of rows of files.
type filePages struct {
	mapper      *Mapper
	page        *collector.Page
	rows, bytes int
}

func newFilePages(s *fileSettings) *filePages {
	return &filePages{mapper: NewMapper(s.feed.Feed, s.feed.settings), page: new(collector.Page)}
}

// isFull says whether the page is to be committed before another row is added.
func (p *filePages) isFull() bool { return p.rows >= filePageRows || p.bytes >= filePageBytes }

// take is the page so far; the next one is empty.
func (p *filePages) take() *collector.Page {
	page := p.page
	p.page, p.rows, p.bytes = new(collector.Page), 0, 0
	return page
}

// add adds a row of a file.
func (p *filePages) add(row *fileRow, path string) {
	p.rows++
	p.bytes += len(row.raw)
	mapped := p.mapper.mapRow(&row.rawRow)
	if r := mapped.Record; r != nil && r.Synthetic != "" {
		r.Synthetic = string(row.chain[:]) // a row without an id is known by its place
	}
	mapped.put(p.page, row.raw, fmt.Sprintf("%s, before byte %d", path, row.end))
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
		case feed.files == nil:
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
