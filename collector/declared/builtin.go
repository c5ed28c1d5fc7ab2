package declared

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"sync"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/builtin"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/files"
)

// Builtin are the providers with built-in definitions, by name.
func Builtin() (all []collector.Provider) {
	for _, d := range loaded() {
		all = append(all, NewProvider(d))
	}
	return all
}

// loaded reads each definition once, because rules and dashboards need the providers often.
var loaded = sync.OnceValue(func() (all []*Definition) {
	for _, name := range BuiltinNames() {
		text, _ := BuiltinText(name)
		text, _, _ = bytes.Cut(text, []byte("\ntests:")) // they would double the time that a start takes
		d, err := Load(name+".yaml", text)
		if err != nil {
			panic(err) // TestBuiltin loads each of them
		}
		all = append(all, d)
	}
	return all
})

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
	for _, d := range loaded() {
		if d.Provider == name {
			sources := make(map[string]string)
			for feed := range d.Feeds {
				sources[feed] = d.sourceOf(feed)
			}
			return sources
		}
	}
	return nil
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
