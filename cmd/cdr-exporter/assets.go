package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/dashboards"
	"github.com/cdr-exporter/cdr-exporter/docs"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	generated "github.com/cdr-exporter/cdr-exporter/internal/monitoring/dashboards"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
)

type assets struct {
	dir, parameters, config string
	force                   bool
}

func newAssets(c *kingpin.CmdClause) command {
	a := &assets{}
	c.Flag("force", "Overwrite files that differ from the bundled ones. Without it, such a file is an error "+
		"and nothing is written.").BoolVar(&a.force)
	c.Flag("rules.file", "Parameters of the rules, such as thresholds and labels to keep; see rules.example.yaml.").
		PlaceHolder("RULES.yaml").StringVar(&a.parameters)
	c.Flag("config.file", "Configuration whose feeds the rules and dashboards are for, with its rules_file; "+
		"without it they are for all feeds.").
		PlaceHolder("CONFIG.yaml").StringVar(&a.config)
	c.Arg("dir", "Folder to write to; created if missing.").Required().StringVar(&a.dir)
	return a.run
}

func (a *assets) run(_ context.Context, s streams) error {
	files, err := a.load()
	if err != nil {
		return err
	}
	var differing []string
	for name, text := range files {
		old, err := os.ReadFile(filepath.Join(a.dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("compare the folder: %w", err)
		case bytes.Equal(old, text):
			delete(files, name)
		default:
			differing = append(differing, name)
		}
	}
	if len(differing) > 0 && !a.force {
		slices.Sort(differing)
		return fmt.Errorf("files in %s differ from the bundled ones, and nothing was written: %s; "+
			"save your changes elsewhere and repeat with --force, or choose another folder", a.dir,
			strings.Join(differing, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(a.dir, name)
		if err := writeAsset(path, files[name]); err != nil {
			return fmt.Errorf("write the bundled file: %w", err)
		}
		fmt.Fprintf(s.out, "wrote %s\n", path)
	}
	if len(files) == 0 {
		fmt.Fprintf(s.out, "%s already has the bundled files\n", a.dir)
	}
	return nil
}

// load reads the files by name. With parameters, it generates the rules again.
func (a *assets) load() (map[string][]byte, error) {
	files := make(map[string][]byte)
	for _, bundle := range []fs.FS{dashboards.Files, docs.Runbooks} {
		err := fs.WalkDir(bundle, ".", func(name string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				files[name], err = fs.ReadFile(bundle, name)
			}
			if filepath.Ext(name) == ".md" { // the linked pages aren't bundled
				files[name] = bytes.ReplaceAll(files[name], []byte("](../"), []byte("]("+docsURL+"/"))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if a.config == "" && a.parameters == "" {
		return files, nil
	}
	p, err := a.read()
	if err != nil {
		return nil, err
	}
	boards, err := generated.All(p)
	for i := range boards {
		if err == nil {
			files["grafana/"+boards[i].File], err = boards[i].JSON()
		}
	}
	return files, errors.Join(err, p.Fill(files))
}

// read reads the parameters of the rules, and the feeds that they are for. The secrets of the
// configuration don't have to exist.
func (a *assets) read() (*rules.Parameters, error) {
	if a.config == "" {
		return rules.Load(a.parameters, rules.Builtin())
	}
	c, providers, err := app.LoadConfig(app.Settings{ConfigFile: a.config}, false)
	if err != nil {
		return nil, err
	}
	p, err := rules.Load(cmp.Or(a.parameters, string(c.RulesFile)), rules.Configured(c, providers))
	if err != nil {
		return nil, err
	}
	for _, l := range c.Labels {
		if l.Key == config.LabelBySubnet {
			p.StreamLabels = append(p.StreamLabels, l.Name)
		} else {
			p.Labels = append(p.Labels, l.Name)
		}
	}
	if unknown := p.UnknownLabels(); len(unknown) > 0 {
		return nil, fmt.Errorf("alert_labels: %s doesn't have the labels %s: add them there, or remove them here",
			a.config, strings.Join(unknown, ", "))
	}
	return p, nil
}

// writeAsset replaces the file in one step, since Prometheus or Grafana may be reading the folder.
func writeAsset(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	out, finish, err := createFile(path, nil)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return finish(err)
}
