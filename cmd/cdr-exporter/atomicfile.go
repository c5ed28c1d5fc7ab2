package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const standardOutput = "-"

// createFile opens a file beside the name, which it gets when finish is called without an error; with one, finish removes it and returns the error.
// The standard output, and what isn't a regular file, is written directly.
func createFile(name string, standard io.Writer) (w io.Writer, finish func(error) error, err error) {
	if name == standardOutput {
		return standard, func(err error) error { return err }, nil
	}
	const readable = 0o644 // nothing in it is personal, and Prometheus or Grafana reads it
	mode := fs.FileMode(readable)
	was, err := os.Stat(name)
	if err == nil && was.IsDir() {
		return nil, nil, fmt.Errorf("%s is a folder; give the name of a file", name)
	} else if err == nil && !was.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, nil, fmt.Errorf("it can't be written: %w", err)
		}
		return f, func(err error) error { return errors.Join(err, f.Close()) }, nil
	}
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target // the link stays
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return nil, nil, fmt.Errorf("nothing can be written beside it: check that its folder exists and may be written: %w", err)
	}
	if was != nil { // who may read the file stays as it is
		mode = was.Mode().Perm()
		if err := keepOwner(f, was); err != nil {
			return nil, nil, errors.Join(
				fmt.Errorf("its owner can't be kept; run this as its owner or as root, or name another file: %w", err),
				f.Close(), os.Remove(f.Name()))
		}
	}
	return f, func(err error) error {
		if err = errors.Join(err, f.Chmod(mode), f.Close()); err == nil {
			err = os.Rename(f.Name(), name)
		}
		if err != nil {
			return errors.Join(err, os.Remove(f.Name()))
		}
		return nil
	}, nil
}
