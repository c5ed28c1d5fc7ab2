package declared

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/files"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// readsFiles says whether the source names files to read. With push, files are optional.
func (b *Block) readsFiles() bool {
	return b.definition.hasFiles() && (!b.pushes() || len(b.Values[pathsKey]) > 0)
}

// openFiles prepares to read files that another program writes.
func (b *Block) openFiles(source *collector.Source, settings *collector.SourceSettings) feedOpener {
	source.Advise = (&advice.Provider{Name: b.definition.title()}).Advise
	return func(info *collector.FeedInfo, f *feed) {
		as, paths := f.files, b.Values[pathsKey]
		if f.Files != nil {
			paths = f.Paths
		} else if given := b.Values[Columns]; len(given) > 0 {
			as = as.WithColumns(given)
		}
		reader := files.New(&files.Settings{
			Config: *as, Paths: paths, Now: settings.Now, Path: f.Rows, Document: f.JSONRows,
			Optional:  b.pushes() && f.Files == nil,
			NewMapper: func() rowmap.Mapper { return f.newMapper() },
			Wording:   digest(b.Text, f.settings.Zone.String(), as.Columns),
			Identity:  digest(f.identity(), as.Columns),
		})
		info.Stream, info.Probe = reader, reader.Probe
		info.Reader = collector.SpanReader{Stream: reader, Changed: reader.Changed}
		info.Rules.ByArrival = true
		info.Fingerprint = b.account() + " " + f.name
	}
}

// digest differs once one of its values does.
func digest(of ...any) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", of))
	return binary.BigEndian.Uint64(sum[:])
}

// Keys of a source's block.
const (
	pathsKey = "paths"
	// Columns names the values of a row of CSV.
	Columns = "columns"
)

// hasFiles says whether feeds are read from files.
func (d *Definition) hasFiles() bool { return d.Files != nil || d.allHaveFiles() }

// allHaveFiles says whether every feed names its own files.
func (d *Definition) allHaveFiles() bool {
	for _, f := range d.Feeds {
		if f.Files == nil {
			return false
		}
	}
	return len(d.Feeds) > 0
}

// validateFiles reports keys that the feeds which are read need.
func (b *Block) validateFiles(r *config.Report) {
	needs := make(map[string]string) // missing keys, and what to write there
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
		if feed := b.definition.Feeds[name]; feed.NeedsZone() {
			needs[TimeZone] = "the time zone of the files' times, such as Europe/Berlin"
		}
	}
	for _, key := range slices.Sorted(maps.Keys(needs)) {
		if len(b.Values[key]) == 0 {
			r.Problemf(key, "is missing; give %s", needs[key])
		}
	}
}

// CSV says how rows of CSV are written: those of files, or of an answer.
func (f *Feed) CSV() *rows.Layout {
	if f.files != nil {
		return &f.files.Layout
	}
	return &rows.Layout{Format: rows.FormatCSV, Columns: f.Columns, Separator: rows.Comma}
}

// SetColumns names the values of a row as Columns of a source's block does, and returns false where a source can't.
func (f *Feed) SetColumns(names []string) bool {
	if f.files == nil || f.Files != nil || f.files.Format != rows.FormatCSV {
		return false
	}
	f.files = f.files.WithColumns(names)
	return true
}

// validateFiles reports what a feed of files can't have.
func (f *Feed) validateFiles(r *config.Report) {
	r.Refuse([]string{"request", "filter", "next", "total"},
		"is for http only; files are read as they are written, so leave it out")
	r.Refuse([]string{"final"}, "needs a provider that can be asked again; rows of files are final, so leave it out")
	if f.files.Format != rows.FormatJSON && f.files.Format != rows.FormatXML {
		r.Refuse([]string{"rows"}, "is for files of format: json or xml only; leave it out")
	}
}
