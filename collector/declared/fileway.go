package declared

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// readsFiles says whether the source names files to read. With push, files are optional.
func (b *Block) readsFiles() bool {
	return b.definition.hasFiles() && (!b.pushes() || len(b.Values[pathsKey]) > 0)
}

// openFiles prepares to read files that another program writes.
func (b *Block) openFiles(source *collector.Source, settings *collector.SourceSettings) readFeed {
	source.Advise = (&advice.Provider{Name: b.definition.title()}).Advise
	return func(info *collector.FeedInfo, f *feed) {
		files, paths := f.files, b.Values[pathsKey]
		if f.Files != nil {
			paths = f.Paths
		} else if given := b.Values[Columns]; len(given) > 0 {
			files = files.withColumns(given)
		}
		reader := &filesReader{feed: f, files: files, paths: paths, now: settings.Now, open: make(map[uint64]openRow)}
		info.Stream, info.Reader, info.Probe = reader, collector.SpanReader{Stream: reader}, reader.probe
		info.Rules.ByArrival = true
		info.Fingerprint = b.account() + " " + f.name
	}
}

// Keys of a source's block.
const (
	pathsKey = "paths"
	// Columns names the values of a row of CSV.
	Columns = "columns"
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
			n.Problemf("has a pattern that can't be read; * stands for anything, ? for one character, [a-z] " +
				"for one of these")
			continue
		}
		*p = append(*p, n.Resolve(text))
	}
}

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
		if feed := b.definition.Feeds[name]; feed.needsZone() {
			needs[TimeZone] = "the time zone of the files' times, such as Europe/Berlin"
		}
	}
	for _, key := range slices.Sorted(maps.Keys(needs)) {
		if len(b.Values[key]) == 0 {
			r.Problemf(key, "is missing; give %s", needs[key])
		}
	}
}
