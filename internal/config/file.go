package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"

	"gopkg.in/yaml.v3"
)

// File is the name of a file that must be readable. Decoding makes it absolute;
// relative ones start at the folder of the configuration file. Empty is not set.
type File string

// Path is the name of a file or folder that need not exist. Decoding makes it
// absolute as it does a [File].
type Path string

// FileRef is a file that a configuration names and that must be readable.
type FileRef struct {
	// Path is the key that names the file, Line the key's line.
	Path string
	Line int
	// Name is the absolute name of the file.
	Name string
}

// Files lists the files that the configuration names: secrets, certificates, keys
// and whatever providers declare as [File], in the order of the configuration.
func (c *Config) Files() []FileRef { return c.files }

// CheckFiles opens every file that the configuration names. It returns [Problems]
// with one for each that is not a readable, non-empty regular file.
func (c *Config) CheckFiles() error { return checkFiles(c.name, c.files).asError() }

// checkFiles lists what is wrong with the files that a configuration names.
func checkFiles(name string, files []FileRef) Problems {
	var problems Problems
	for _, ref := range files {
		if err := checkReadable(ref.Name); err != nil {
			problems = append(problems, Problem{File: name, Line: ref.Line, Path: ref.Path, Message: err.Error()})
		}
	}
	return problems
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

// unreadable words the failure to read a file; its name appears once.
func unreadable(name string, err error) error {
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return fmt.Errorf("file %s cannot be read (%w); let the user that the exporter runs as read it", name, err)
}

// decodeFile decodes the name of a file or folder.
func (d *decoder) decodeFile(v reflect.Value, n *yaml.Node, at place) {
	s, ok := d.scalarOf(n, at, "the name of a file")
	if !ok {
		return
	}
	name := d.resolve(s.text)
	v.SetString(name)
	if v.Type() == fileType && name != "" {
		d.files = append(d.files, FileRef{Path: at.path, Line: at.line, Name: name})
	}
}

// decodeSecret decodes a secret, or the name of the file that holds it. Nothing of
// a secret gets into a problem.
func (d *decoder) decodeSecret(v reflect.Value, n *yaml.Node, at place, isFile bool) {
	what := "a secret as text"
	if isFile {
		what = "the name of a file"
	}
	s, ok := d.scalarOf(n, at, what)
	switch {
	case !ok:
	case s.text == "":
		d.fail(at, "is empty; give %s, or remove the key", what)
	case v.Interface().(Secret).IsSet():
		// The same name in a map of secrets and in its map of files, or x and x_file.
		d.fail(at, "is given twice, as text and as a file; keep one of them")
	case isFile:
		name := d.resolve(s.text)
		v.Set(reflect.ValueOf(NewSecretFile(name)))
		d.files = append(d.files, FileRef{Path: at.path, Line: at.line, Name: name})
	default:
		v.Set(reflect.ValueOf(NewSecret(s.text)))
	}
}

// decodeSecretFile decodes x_file into the secret, or the map of secrets, of x.
func (d *decoder) decodeSecretFile(v reflect.Value, p pair) {
	path := p.at.path[:len(p.at.path)-len(fileSuffix)]
	if v.Type() == secretMapType {
		d.decodeSecretMap(v, p, path, true)
		return
	}
	d.mark(p.at)
	d.mark(place{path, p.at.line})
	if n := d.follow(p.value, p.at); n != nil {
		d.decodeSecret(v, n, p.at, true)
	}
	if d.broken[p.at.path] {
		d.broken[path] = true
	}
}

// decodeSecretMap decodes a map of names to secrets, or to files that hold them,
// into the one map at path.
func (d *decoder) decodeSecretMap(v reflect.Value, p pair, path string, isFile bool) {
	d.mark(p.at)
	d.mark(place{path, p.at.line})
	n := d.follow(p.value, p.at)
	switch {
	case n == nil || isNull(n):
		return
	case n.Kind != yaml.MappingNode:
		d.fail(p.at, "must be a mapping of names to values, is not one")
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, item := range d.pairs(n, p.at) {
		key := reflect.ValueOf(item.key)
		value := reflect.New(secretType).Elem()
		if earlier := v.MapIndex(key); earlier.IsValid() {
			value.Set(earlier)
		}
		d.mark(item.at)
		d.mark(place{joinPath(path, segment(item.key)), item.at.line})
		if inner := d.follow(item.value, item.at); inner != nil {
			d.decodeSecret(value, inner, item.at, isFile)
		}
		v.SetMapIndex(key, value)
	}
}
