package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// openSource opens the source that --source names in a configuration file.
func openSource(c *config.Config, name, file string) (*collector.Source, error) {
	s := c.Source(name)
	if s == nil {
		return nil, fmt.Errorf("--source: no source %s in %s; there are: %s", name, file, strings.Join(sourceNames(c), ", "))
	}
	return app.OpenSource(s, app.Providers(), app.SourceSettings(s))
}

// openRedacted reads a configuration, and opens one of its sources and the redactor for what is printed of it.
func openRedacted(ctx context.Context, file, name string) (*collector.Source, *cdr.Redactor, error) {
	c, err := app.LoadConfig(file, app.Providers())
	if err != nil {
		return nil, nil, err
	}
	redactor, err := newRedactor(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	source, err := openSource(c, name, file)
	return source, redactor, err
}

// sourceNames are the names of all sources.
func sourceNames(c *config.Config) (names []string) {
	for i := range c.Sources {
		names = append(names, c.Sources[i].Name)
	}
	return names
}

// closeSource frees a source's connections.
func closeSource(source *collector.Source) {
	if source.Close != nil {
		source.Close()
	}
}

// newRedactor redacts as the exporter does: with the configured key, or with the ledger's own, which is read without its lock.
func newRedactor(ctx context.Context, c *config.Config) (*cdr.Redactor, error) {
	key, err := app.HashKey(ctx, c)
	if err != nil {
		return nil, err
	}
	if key == nil {
		where, err := app.Storage(c)
		if err != nil {
			return nil, err
		}
		glance, err := ledger.Look(ctx, where)
		if err != nil {
			return nil, err
		}
		key = glance.HashKey
	}
	return cdr.NewRedactor(app.Policy(c.Privacy), key), nil
}
