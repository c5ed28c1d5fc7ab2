package declared

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/builtin"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/files"
)

// Builtin are the providers with built-in definitions, by name.
func Builtin() []collector.Provider { return slices.Clone(builtins()) }

// builtins reads a definition when it is first used, because a start needs few of them, and only once, because rules
// and dashboards need them often.
var builtins = sync.OnceValue(func() (all []collector.Provider) {
	for _, name := range BuiltinNames() {
		all = append(all, collector.LazyProvider(name, func() collector.Provider {
			d, err := loadBuiltin(name)
			if err != nil {
				panic(err) // TestBuiltin loads each of them
			}
			return NewProvider(d)
		}))
	}
	return all
})

func loadBuiltin(name string) (*Definition, error) {
	text, err := BuiltinText(name)
	if err != nil {
		return nil, err
	}
	text, _, _ = bytes.Cut(text, []byte("\ntests:")) // they would double the time that a start takes
	return Load(name+".yaml", text)
}

// BuiltinNames are the names of the built-in definitions, sorted.
func BuiltinNames() (names []string) {
	files, _ := fs.Glob(builtin.Files, "*.yaml")
	for _, file := range files {
		names = append(names, strings.TrimSuffix(file, ".yaml"))
	}
	return names
}

// BuiltinText is the file of a built-in definition.
func BuiltinText(name string) ([]byte, error) {
	text, err := builtin.Files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, errors.New("unknown definition; the built-in ones are " + strings.Join(BuiltinNames(), ", "))
	}
	return text, nil
}

// BuiltinSources describes how the feeds of a built-in definition are read, by feed; nil for an
// unknown definition.
func BuiltinSources(name string) map[string]string {
	d, err := loadBuiltin(name)
	if err != nil {
		return nil
	}
	sources := make(map[string]string)
	for feed := range d.Feeds {
		sources[feed] = d.sourceOf(feed)
	}
	return sources
}

func (d *Definition) sourceOf(feed string) string {
	of := d.Feeds[feed]
	kind := "HTTP"
	switch {
	case of.files != nil && of.files.Read == files.ReadLines:
		kind = "lines of files"
	case of.files != nil:
		kind = "whole files"
	case d.SQL != nil:
		kind = "SQL"
	case d.HTTP == nil:
		return "posted"
	}
	if d.Push != nil && of.Files == nil {
		kind += ", or posted"
	}
	return kind
}
