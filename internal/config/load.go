package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
)

// maxFileSize bounds a configuration file, in bytes.
const maxFileSize = 1 << 20

// Options are what [Load], [Parse] and [Unmarshal] need beside the file.
type Options struct {
	// Providers are the kinds of sources that are known.
	Providers []Provider
	// CheckFiles opens every file that the configuration names, also when it has other
	// problems, so that all are found at once.
	CheckFiles bool
	// LookupEnv is asked for the variables of ${env:NAME}; nil is [os.LookupEnv].
	LookupEnv func(string) (string, bool)
}

// Load reads a configuration file. The error is [Problems], with everything that is
// wrong.
func Load(path string, opts Options) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, Problems{{File: path, Message: fmt.Sprintf("cannot be read: %s; name a readable YAML file", cause(err))}}
	}
	return Parse(path, data, opts)
}

// Parse is [Load] for a file that was read already. The path appears in problems,
// and relative paths start at its folder.
func Parse(path string, data []byte, opts Options) (*Config, error) {
	c := new(Config)
	if err := Unmarshal(path, data, c, opts); err != nil {
		return nil, err
	}
	return c, nil
}

// Unmarshal decodes a YAML document into a pointer to a struct by the rules of this
// package: defaults, strict decoding, validation. The error is [Problems]. It serves
// the tests of providers, whose blocks it decodes by themselves.
func Unmarshal(path string, data []byte, into any, opts Options) error {
	d := &decoder{file: path, lookupEnv: opts.LookupEnv, providers: opts.Providers, lines: map[string]int{}, broken: map[string]bool{}}
	if d.lookupEnv == nil {
		d.lookupEnv = os.LookupEnv
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return Problems{{File: path, Message: fmt.Sprintf("cannot find its folder: %s", err)}}
	}
	d.dir = filepath.Dir(absolute)
	if len(data) > maxFileSize {
		d.report(1, "", fmt.Sprintf("is larger than %d bytes; a configuration file must be smaller", maxFileSize))
	} else if root := d.parse(data); root != nil {
		v := reflect.ValueOf(into).Elem()
		v.SetZero()
		d.setDefaults(v)
		d.decode(v, root, place{line: root.Line})
		d.validate(v, "")
		if opts.CheckFiles {
			d.checkFiles()
		}
	}
	return d.problems.asError()
}

// resolve makes a path absolute, relative to the folder of the configuration file.
func (d *decoder) resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(d.dir, path)
}

// cause is the reason within an error of a file, without its name.
func cause(err error) error {
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
