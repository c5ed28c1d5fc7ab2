package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// File is the name of a file that must be readable. Decoding makes it absolute, relative to the folder of the configuration file.
// Empty is not set.
type File string

// Path is the name of a file or folder that need not exist. Decoding makes it absolute as it does a [File].
type Path string

// fileRef is a file that a configuration names and that must be readable.
type fileRef struct {
	at   place
	name string
}

// checkFiles reports the files that can't be read, and what would be right.
func (d *decoder) checkFiles() {
	for _, ref := range d.files {
		_, err := readRegular(ref.name, 1)
		switch {
		case err == nil:
			continue
		case errors.Is(err, fs.ErrNotExist):
			err = fmt.Errorf("file %s does not exist; create it, or correct the name (relative ones start at the folder of the configuration file)", ref.name)
		case errors.As(err, new(*fs.PathError)):
			err = fmt.Errorf("file %s cannot be read (%w); let the user that the exporter runs as read it", ref.name, cause(err))
		}
		d.report(ref.at.line, ref.at.path, err.Error())
	}
}

// readRegular reads at most so many bytes of a file. An empty file is an error, and so is one that isn't regular: a pipe could block, or
// couldn't be read twice.
func readRegular(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, limit))
	if err = errors.Join(err, f.Close()); err == nil && len(content) == 0 {
		err = fmt.Errorf("%s is empty", name)
	}
	return content, err
}
