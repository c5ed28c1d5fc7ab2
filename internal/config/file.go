package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// File is the name of a file that must be readable. Decoding makes it absolute;
// relative ones start at the folder of the configuration file. Empty is not set.
type File string

// Path is the name of a file or folder that need not exist. Decoding makes it
// absolute as it does a [File].
type Path string

// fileRef is a file that a configuration names and that must be readable.
type fileRef struct {
	at   place
	name string
}

// checkFiles reports the files that can't be read.
func (d *decoder) checkFiles() {
	for _, ref := range d.files {
		if err := checkReadable(ref.name); err != nil {
			d.report(ref.at.line, ref.at.path, err.Error())
		}
	}
}

// checkReadable says why a file cannot be read and what would be right.
func checkReadable(name string) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("file %s does not exist; create it, or correct the name (relative ones start at the folder of the configuration file)", name)
	case err != nil:
		return unreadable(name, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s must be a regular file", name)
	case info.Size() == 0:
		return fmt.Errorf("file %s is empty", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return unreadable(name, err)
	}
	_, readErr := f.Read(make([]byte, 1))
	if err := errors.Join(readErr, f.Close()); err != nil {
		return unreadable(name, err)
	}
	return nil
}

// unreadable words the failure to read a file.
func unreadable(name string, err error) error {
	return fmt.Errorf("file %s cannot be read (%w); let the user that the exporter runs as read it", name, cause(err))
}
