package main

import (
	"errors"
	"fmt"
	"io"
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
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return nil, nil, fmt.Errorf("%s is a folder; give the name of a file", name)
	} else if err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, nil, fmt.Errorf("it can't be written: %w", err)
		}
		return f, func(err error) error { return errors.Join(err, f.Close()) }, nil
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return nil, nil, fmt.Errorf("nothing can be written beside it: check that its folder exists and may be written: %w", err)
	}
	return f, func(err error) error {
		const readable = 0o644 // nothing in it is personal, and Prometheus or Grafana reads it
		if err = errors.Join(err, f.Chmod(readable), f.Close()); err == nil {
			err = os.Rename(f.Name(), name)
		}
		if err != nil {
			return errors.Join(err, os.Remove(f.Name()))
		}
		return nil
	}, nil
}
