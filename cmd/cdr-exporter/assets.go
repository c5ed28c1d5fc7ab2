package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/dashboards"
)

// assets writes the bundled dashboards and rules to a folder.
type assets struct {
	dir   string
	force bool
}

// asset is a bundled file and its target.
type asset struct {
	path    string
	content []byte
}

func newAssets(c *kingpin.CmdClause) command {
	a := &assets{}
	c.Flag("force", "Overwrite files that differ from the bundled ones. Without it, such a file is an error and nothing is written.").BoolVar(&a.force)
	c.Arg("dir", "Folder to write to; created if missing.").Required().StringVar(&a.dir)
	return a
}

func (a *assets) run(_ context.Context, s streams) error {
	missing, differing, err := a.compare()
	if err != nil {
		return err
	}
	if len(differing) > 0 && !a.force {
		return fmt.Errorf("files in the folder differ from the bundled ones, and nothing was written: %s; "+
			"keep what you changed elsewhere and repeat with --force, or choose another folder", paths(differing))
	}
	for _, f := range append(missing, differing...) {
		if err := f.write(); err != nil {
			return fmt.Errorf("write the bundled file: %w", err)
		}
		fmt.Fprintf(s.out, "wrote %s\n", f.path)
	}
	if len(missing)+len(differing) == 0 {
		fmt.Fprintf(s.out, "%s holds the bundled files already\n", a.dir)
	}
	return nil
}

// compare finds the bundled files that the folder lacks, and those that differ there.
func (a *assets) compare() (missing, differing []asset, err error) {
	err = fs.WalkDir(dashboards.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(dashboards.Files, name)
		if err != nil {
			return err
		}
		f := asset{filepath.Join(a.dir, filepath.FromSlash(name)), content}
		switch old, err := os.ReadFile(f.path); {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, f)
		case err != nil:
			return err
		case !bytes.Equal(old, content):
			differing = append(differing, f)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("look into the folder: %w", err)
	}
	return missing, differing, nil
}

// write replaces the file in one step, since Prometheus or Grafana may be reading the folder.
func (f asset) write() error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		return err
	}
	out, err := createOutput(f.path, nil)
	if err != nil {
		return err
	}
	defer out.discard()
	if _, err := out.Write(f.content); err != nil {
		return err
	}
	return out.finish()
}

// paths are the files' names in one line.
func paths(files []asset) string {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.path
	}
	return strings.Join(names, ", ")
}
