// Package declaredtest opens sources of definitions in tests, and answers them in place of a provider.
package declaredtest

import (
	"path/filepath"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Open opens a source of a definition. block is the text of its block in a configuration, which lies
// in a folder.
func Open(folder, definition, block string, now func() time.Time) (*collector.Source, error) {
	return OpenWith(folder, definition, block, collector.SourceSettings{Now: now})
}

// OpenWith opens a source with other settings too.
func OpenWith(folder, definition, block string, settings collector.SourceSettings) (*collector.Source, error) {
	d, err := declared.Load("d.yaml", []byte(definition))
	if err != nil {
		return nil, err
	}
	p := declared.NewProvider(d)
	text := "sources: [{name: pbx, " + p.Name + ": {" + block + "}}]"
	c, err := config.Parse(filepath.Join(folder, "config.yaml"), []byte(text),
		config.Options{Providers: map[string]func() any{p.Name: p.NewConfig}})
	if err != nil {
		return nil, err
	}
	return p.Open(c.Sources[0].Provider, settings)
}
