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

func newAssets(c *kingpin.CmdClause) command {
	a := &assets{}
	c.Flag("force", "Overwrite files that differ from the bundled ones. Without it, such a file is an error and nothing is written.").BoolVar(&a.force)
	c.Arg("dir", "Folder to write to; created if missing.").Required().StringVar(&a.dir)
	return a
}

func (a *assets) run(_ context.Context, s streams) error {
	missing, differing, err := a.compare()
	if err != nil {
		return fmt.Errorf("compare the folder: %w", err)
	}
	if len(differing) > 0 && !a.force {
		return fmt.Errorf("files in %s differ from the bundled ones, and nothing was written: %s; "+
			"keep what you changed elsewhere and repeat with --force, or choose another folder", a.dir, strings.Join(differing, ", "))
	}
	for _, name := range append(missing, differing...) {
		if err := a.write(name); err != nil {
			return fmt.Errorf("write the bundled file: %w", err)
		}
		fmt.Fprintf(s.out, "wrote %s\n", filepath.Join(a.dir, name))
	}
	if len(missing)+len(differing) == 0 {
		fmt.Fprintf(s.out, "%s holds the bundled files already\n", a.dir)
	}
	return nil
}

// compare finds the bundled files that the folder lacks, and those that differ there.
func (a *assets) compare() (missing, differing []string, err error) {
	err = fs.WalkDir(dashboards.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		bundled, err := fs.ReadFile(dashboards.Files, name)
		if err != nil {
			return err
		}
		switch old, err := os.ReadFile(filepath.Join(a.dir, name)); {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, name)
		case err != nil:
			return err
		case !bytes.Equal(old, bundled):
			differing = append(differing, name)
		}
		return nil
	})
	return missing, differing, err
}

// write replaces the file in one step, since Prometheus or Grafana may be reading the folder.
func (a *assets) write(name string) error {
	content, err := fs.ReadFile(dashboards.Files, name)
	if err != nil {
		return err
	}
	path := filepath.Join(a.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	out, finish, err := createFile(path, nil)
	if err != nil {
		return err
	}
	_, err = out.Write(content)
	return finish(err)
}
