package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
)

// recordFile is a file that a definition reads in place of a provider.
type recordFile struct {
	definition string
	feed       string // of the definition; empty: the only one
	audited    string // feed that the file is compared with; of several feeds of the definition the one called so reads
	set        map[string]string
}

func (f *recordFile) define(c *kingpin.CmdClause, help string) {
	f.set = make(map[string]string)
	c.Flag("definition", help).PlaceHolder("FILE.yaml").StringVar(&f.definition)
	c.Flag("set", "NAME=VALUE: a parameter of the definition, time_zone, or columns; several values of a list "+
		"are separated by commas. May be repeated.").StringMapVar(&f.set)
}

// openedFeed is a feed with its source and the source's block of the configuration.
type openedFeed struct {
	*collector.FeedInfo

	source *collector.Source
	block  any
}

// open opens a file. Without --definition the text is the definition.
func (f *recordFile) open(c *commandConfig, file string, text []byte) (opened openedFeed, err error) {
	if !isFile(file) {
		return opened, fmt.Errorf("no file %s", file)
	}
	d, feed, err := f.load(text)
	if err != nil {
		return opened, err
	}
	block, err := f.block(d, feed, file)
	if err != nil {
		return opened, err
	}
	var node yaml.Node
	source := map[string]any{"name": "file", d.Provider: block}
	if err := node.Encode(map[string]any{"sources": []any{source}}); err != nil {
		return opened, fmt.Errorf("--set: %w", err)
	}
	config, providers, err := app.LoadConfig(app.Settings{
		ConfigFile: f.definition, ConfigNode: &node, Providers: []collector.Provider{declared.NewProvider(d)},
	}, true)
	if err != nil {
		return opened, err
	}
	settings := app.SourceSettings(&config.Sources[0], nil)
	settings.Now = afterWriting
	if opened.source, err = app.OpenSource(&config.Sources[0], providers, settings); err != nil {
		return opened, err
	}
	c.opened = append(c.opened, opened.source)
	at := slices.IndexFunc(opened.source.Feeds, func(info collector.FeedInfo) bool { return info.Name == feed })
	opened.FeedInfo, opened.block = &opened.source.Feeds[at], config.Sources[0].Provider
	return opened, nil
}

// loadDefinition reads a definition: a built-in one by its name, otherwise a file.
func loadDefinition(file string) (*declared.Definition, error) {
	if text, err := declared.BuiltinText(file); err == nil {
		return declared.Load(file+".yaml", text)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the definition: %w", err)
	}
	return declared.Load(file, text)
}

// feedOf is the name of a definition's feed. An only feed doesn't have to be named.
func feedOf(d *declared.Definition, name, file string) (string, error) {
	names := slices.Sorted(maps.Keys(d.Feeds))
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	if !slices.Contains(names, name) {
		return "", fmt.Errorf("--feed: give one of the feeds of %s: %s", file, strings.Join(names, ", "))
	}
	return name, nil
}

// load reads the definition and finds its feed.
func (f *recordFile) load(text []byte) (d *declared.Definition, feed string, err error) {
	if f.definition == "" {
		d, err = declared.Load("", text)
	} else {
		d, err = loadDefinition(f.definition)
	}
	if err != nil {
		return nil, "", err
	}
	name := f.feed
	if f.audited != "" && len(d.Feeds) > 1 {
		name = f.audited
		if _, is := d.Feeds[name]; !is {
			return nil, "", fmt.Errorf("--definition: %s has several feeds, and none is called %s; "+
				"give a definition with one feed, or one that has a feed of this name", f.definition, name)
		}
	}
	if feed, err = feedOf(d, name, f.definition); err != nil {
		return nil, "", err
	}
	if d.Files == nil && d.Feeds[feed].Files == nil {
		return nil, "", fmt.Errorf("--definition: %s doesn't read files; give one with `files`", f.definition)
	}
	return d, feed, nil
}

// block is the configuration of a source that reads only this file.
func (f *recordFile) block(d *declared.Definition, feed, file string) (map[string]any, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	keys := make(map[string]any)
	block := map[string]any{feed: keys}
	for key, value := range f.set {
		d.SetParameter(block, feed, key, strings.Split(value, ","))
	}
	paths := []string{strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)}
	if d.Feeds[feed].Files != nil {
		keys["paths"] = paths
	} else {
		block["paths"] = paths
	}
	return block, nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// afterWriting is a clock by which nobody writes to a file any more, so that its last row isn't waited for.
func afterWriting() time.Time { return time.Now().Add(24 * time.Hour) }

// mostProblems is how many rows that can't be read are printed.
const mostProblems = 10

// unreadRows counts and prints the rows of a file or feed that can't be read.
type unreadRows struct {
	name    string
	out     io.Writer
	records int
	unread  int
	first   string // the problem of the first one
}

func (u *unreadRows) add(page *collector.Page) {
	u.records += len(page.Records)
	for _, row := range page.Invalid {
		if u.unread++; u.unread <= mostProblems {
			fmt.Fprintf(u.out, "%s: %s: left out: %s\n", u.name, row.At, row.Problem)
		}
		if u.first == "" {
			u.first = row.Problem
		}
	}
}

// end prints the number, and returns an error if no row could be read.
func (u *unreadRows) end() error {
	if u.unread > 0 {
		fmt.Fprintf(u.out, "%s: %d rows can't be read and are left out\n", u.name, u.unread)
	}
	if u.records == 0 && u.unread > 0 {
		return errors.New("no row of " + u.name + " can be read: " + u.first +
			"; see that it has the columns of its definition")
	}
	return nil
}
