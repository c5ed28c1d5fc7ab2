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

// createFile opens a temporary file next to the named one. finish replaces the named file if it
// gets no error; otherwise it removes the temporary file and returns the error. The standard
// output, and files that aren't regular, are written directly.
func createFile(name string, standard io.Writer) (w io.Writer, finish func(error) error, err error) {
	if name == standardOutput {
		return standard, func(err error) error { return err }, nil
	}
	const readable = 0o644 // it has no personal data, and Prometheus or Grafana reads it
	mode := fs.FileMode(readable)
	was, err := os.Stat(name)
	if err == nil && was.IsDir() {
		return nil, nil, fmt.Errorf("%s is a folder; name a file", name)
	} else if err == nil && !was.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, nil, fmt.Errorf("can't write it: %w", err)
		}
		return f, func(err error) error { return errors.Join(err, f.Close()) }, nil
	}
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target // keep the link
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return nil, nil, fmt.Errorf("can't create a file next to it: check that its folder exists and is writable: %w",
			err)
	}
	if was != nil { // keep owner and permissions
		mode = was.Mode().Perm()
		if err := keepOwner(f, was); err != nil {
			return nil, nil, errors.Join(
				fmt.Errorf("can't keep its owner; run this as its owner or as root, or name another file: %w", err),
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
