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

// wholeFile is a file that is there under its name only when it is whole: until then it
// lies beside it under another. The standard output, and what isn't a regular file, is
// written as it comes.
type wholeFile struct {
	io.Writer

	name  string
	file  *os.File // nil: the standard output
	whole bool     // it takes its name in the end
}

// createOutput begins to write to a file.
func createOutput(name string, standard io.Writer) (*wholeFile, error) {
	if name == standardOutput {
		return &wholeFile{Writer: standard}, nil
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
		return &wholeFile{Writer: f, file: f}, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return nil, fmt.Errorf("nothing can be written beside it: check that its folder exists and may be written: %w", err)
	}
	return &wholeFile{Writer: f, file: f, name: name, whole: true}, nil
}

// finish gives the file its name, or closes it.
func (w *wholeFile) finish() error {
	f := w.file
	w.file = nil
	switch {
	case f == nil:
		return nil
	case !w.whole:
		return f.Close()
	}
	const readable = 0o644 // it holds nothing personal, and Prometheus is to read it
	err := errors.Join(f.Chmod(readable), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), w.name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", w.name, err)
	}
	return nil
}

// discard removes what wasn't finished.
func (w *wholeFile) discard() {
	if w.file == nil {
		return
	}
	_ = w.file.Close()
	if w.whole {
		_ = os.Remove(w.file.Name())
	}
}
