package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/laws"
)

// providerTest plays the laws of counting on a definition.
type providerTest struct {
	file, rows, feed, dsn string
	set                   map[string]string
	laws                  []string
}

func newProviderTest(c *kingpin.CmdClause) command {
	t := &providerTest{set: make(map[string]string)}
	c.Arg("file", "Definition, a file of YAML or the name of a built-in one.").Required().StringVar(&t.file)
	c.Arg("rows", "Saved rows, in addition to the definition's tests: a page of JSON, JSON lines, or CSV.").
		StringVar(&t.rows)
	c.Flag("feed", "Feed of the rows, if the definition has several.").StringVar(&t.feed)
	c.Flag("set", "NAME=VALUE: a parameter, instead of its value in the definition's tests; several values "+
		"of a list are separated by commas. May be repeated.").StringMapVar(&t.set)
	c.Flag("dsn", "DSN of a database in which the tests create their tables, instead of SQLite, in the form of its "+
		"driver: each time in a new schema (with mysql a database), which is dropped afterwards.").StringVar(&t.dsn)
	c.Flag("law", "Judge only this law, such as rows. May be repeated.").StringsVar(&t.laws)
	return t.run
}

func (t *providerTest) run(ctx context.Context, s streams) error {
	settings, err := t.settings()
	if err != nil {
		return usageError{err}
	}
	verdicts, err := laws.Run(ctx, settings)
	if err != nil {
		return usageError{fmt.Errorf("%s can't be tested: %w", t.file, err)}
	}
	table, broken := newTable(s.out), 0
	for _, v := range verdicts {
		if v.State == laws.Broken {
			broken++
		}
		fmt.Fprintf(table, "%s\t%s\t%s: %s\n", v.Feed, v.Law, v.State, v.Detail)
	}
	if err := table.Flush(); err != nil || broken == 0 {
		return err
	}
	return errSilent
}

func (t *providerTest) settings() (s laws.Settings, err error) {
	if s.Definition, err = loadDefinition(t.file); err != nil {
		return s, err
	}
	s.Laws, s.DSN = t.laws, t.dsn
	if s.Feed, s.Set = t.feed, make(map[string][]string); t.rows != "" {
		if s.Rows, err = os.ReadFile(t.rows); err != nil {
			return s, fmt.Errorf("read the rows: %w", err)
		}
	}
	for key, value := range t.set {
		if !s.Definition.HasParameter(key) {
			return s, fmt.Errorf("--set: the definition has no parameter %s", key)
		}
		s.Set[key] = strings.Split(value, ",")
	}
	return s, nil
}
