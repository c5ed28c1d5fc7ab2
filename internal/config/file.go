package config

import (
	"errors"
	"fmt"
	"io"
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

// checkReadable says why a file can't be read and what would be right.
func checkReadable(name string) error {
	_, err := readRegular(name, 1)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("file %s does not exist; create it, or correct the name (relative ones start at the folder of the configuration file)", name)
	case errors.Is(err, errNotRegular):
		return fmt.Errorf("%s must be a regular file", name)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("file %s is empty", name)
	}
	return fmt.Errorf("file %s cannot be read (%w); let the user that the exporter runs as read it", name, cause(err))
}

var errNotRegular = errors.New("is not a regular file")

// readRegular reads at most so many bytes of a regular file; an empty one is io.EOF. Anything else, such as a pipe, could block or
// could not be read twice.
func readRegular(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, limit))
	if err = errors.Join(err, f.Close()); err == nil && len(content) == 0 {
		return nil, io.EOF
	}
	return content, err
}
