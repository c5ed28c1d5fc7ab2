package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File is the name of a readable file. Decoding makes it absolute, relative to the folder of the
// configuration file. Empty means not set.
type File string

// fileName returns the absolute name of a file, and reports one that can't be read. A name from the environment isn't
// shown: the variable may have the secret itself.
func (d *decoder) fileName(name, written string, at place) string {
	shown := written
	if name == written {
		shown = d.resolve(name)
	}
	name = d.resolve(name)
	if name == "" || !d.CheckFiles {
		return name
	}
	if _, err := readRegular(name, 1); err != nil {
		d.fail(at, "can't read the file %s: %v; correct its name (relative ones start at the folder of the "+
			"configuration file), "+
			"or make it readable for the user that the exporter runs as", shown, cause(err))
	}
	return name
}

// resolve makes a name absolute, relative to the folder of the configuration file.
func (d *decoder) resolve(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(d.dir, name)
}

// cause is the reason in an error of a file, without its name.
func cause(err error) error {
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// readRegular reads at most limit bytes of a file. It refuses an empty file, and one that isn't
// regular: a pipe could block, or be readable only once.
func readRegular(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("not a regular file")}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, limit))
	if err = errors.Join(err, f.Close()); err == nil && len(content) == 0 {
		err = &fs.PathError{Op: "read", Path: name, Err: errors.New("is empty")}
	}
	return content, err
}
