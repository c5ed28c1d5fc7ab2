package config

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"

	"gopkg.in/yaml.v3"
)

// define reads the definitions that the file names before anything else is decoded: blocks of sources are read by them.
func (d *decoder) define(root *yaml.Node) {
	if d.Define == nil {
		return
	}
	var files []string
	for i := 0; i+1 < len(root.Content); i += 2 {
		if list := root.Content[i+1]; root.Content[i].Value == "definitions" && list.Kind == yaml.SequenceNode {
			for j, item := range list.Content {
				files = append(files, d.filesOf(item, place{path: indexed("definitions", j), line: item.Line})...)
			}
		}
	}
	more, err := d.Define(files)
	problems, ok := errors.AsType[Problems](err)
	if d.problems = append(d.problems, problems...); err != nil && !ok {
		d.report(root.Line, "definitions", err.Error())
	}
	d.Providers = maps.Clone(d.Providers)
	maps.Copy(d.Providers, more)
}

// filesOf are the files that a pattern names.
func (d *decoder) filesOf(item *yaml.Node, at place) []string {
	files, err := filepath.Glob(d.resolve(item.Value))
	if err != nil || len(files) == 0 {
		d.report(at.line, at.path, "names no file; give a file, or a pattern such as providers/*.yaml")
	}
	slices.Sort(files)
	return files
}
