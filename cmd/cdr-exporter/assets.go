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
	missing, differing, bundled, err := a.compare()
	if err != nil {
		return fmt.Errorf("compare the folder: %w", err)
	}
	if len(differing) > 0 && !a.force {
		return fmt.Errorf("files in the folder differ from the bundled ones, and nothing was written: %s; "+
			"keep what you changed elsewhere and repeat with --force, or choose another folder", strings.Join(differing, ", "))
	}
	for _, path := range append(missing, differing...) {
		if err := write(path, bundled[path]); err != nil {
			return fmt.Errorf("write the bundled file: %w", err)
		}
		fmt.Fprintf(s.out, "wrote %s\n", path)
	}
	if len(missing)+len(differing) == 0 {
		fmt.Fprintf(s.out, "%s holds the bundled files already\n", a.dir)
	}
	return nil
}

// compare finds the bundled files that the folder lacks, those that differ there, and the content of all, by their paths in the folder.
func (a *assets) compare() (missing, differing []string, bundled map[string][]byte, err error) {
	bundled = make(map[string][]byte)
	err = fs.WalkDir(dashboards.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(dashboards.Files, name)
		if err != nil {
			return err
		}
		path := filepath.Join(a.dir, filepath.FromSlash(name))
		bundled[path] = content
		switch old, err := os.ReadFile(path); {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, path)
		case err != nil:
			return err
		case !bytes.Equal(old, content):
			differing = append(differing, path)
		}
		return nil
	})
	return missing, differing, bundled, err
}

// write replaces the file in one step, since Prometheus or Grafana may be reading the folder.
func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	out, err := createOutput(path, nil)
	if err != nil {
		return err
	}
	defer out.discard()
	if _, err := out.Write(content); err != nil {
		return err
	}
	return out.finish()
}
