package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// standardOutput is the name that stands for it.
const standardOutput = "-"

// replaceFile lets write fill a file, which gets its name only when it is complete; until then it lies beside it under another name,
// which begins with a dot. The standard output, and what isn't a regular file, is written directly.
func replaceFile(name string, standard io.Writer, write func(io.Writer) error) error {
	if name == standardOutput {
		return write(standard)
	}
	info, err := os.Stat(name)
	exists := err == nil
	switch {
	case exists && info.IsDir():
		return fmt.Errorf("%s is a folder; give the name of a file", name)
	case exists && !info.Mode().IsRegular():
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("it can't be written: %w", err)
		}
		return errors.Join(write(f), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("nothing can be written beside it: check that its folder exists and may be written: %w", err)
	}
	const readable = 0o644 // nothing in it is personal, and Prometheus or Grafana reads it
	if err = errors.Join(write(f), f.Chmod(readable), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
