package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// standardOutput is the name that stands for it.
const standardOutput = "-"

// atomicFile gets its name only when it is complete; until then it lies beside it under another name, which begins with
// a dot. The standard output, and what isn't a regular file, is written directly.
type atomicFile struct {
	io.Writer

	name string   // empty: written directly
	file *os.File // nil: the standard output, or closed
}

// createOutput opens a file for writing.
func createOutput(name string, standard io.Writer) (*atomicFile, error) {
	if name == standardOutput {
		return &atomicFile{Writer: standard}, nil
	}
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%s is a folder; give the name of a file", name)
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("it can't be written: %w", err)
		}
		return &atomicFile{Writer: f, file: f}, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return nil, fmt.Errorf("nothing can be written beside it: check that its folder exists and may be written: %w", err)
	}
	return &atomicFile{Writer: f, file: f, name: name}, nil
}

// finish closes the file and gives it its name.
func (a *atomicFile) finish() error {
	f := a.file
	if f == nil {
		return nil
	}
	a.file = nil
	if a.name == "" {
		return f.Close()
	}
	const readable = 0o644 // nothing in it is personal, and Prometheus or Grafana reads it
	err := errors.Join(f.Chmod(readable), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), a.name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", a.name, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// discard removes what wasn't finished.
func (a *atomicFile) discard() {
	if a.file == nil {
		return
	}
	_ = a.file.Close()
	if a.name != "" {
		_ = os.Remove(a.file.Name())
	}
}
