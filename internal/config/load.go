package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Options are what [Load], [Parse] and [Unmarshal] need beside the file.
type Options struct {
	// Providers are the kinds of sources by the keys of their blocks: each makes a pointer to a new struct, with its [Defaulter] and [Validator].
	Providers map[string]func() any
	// Define reads the files that `definitions` names, and returns further kinds of sources; nil: they are ignored. Its problems are Problems.
	Define func(files []string) (map[string]func() any, error)
	// Amend changes a document before it is decoded, and says what is wrong; nil: it is decoded as
	// it is.
	Amend func(root *yaml.Node) *Problem
	// CheckFiles opens every file that the configuration names.
	CheckFiles bool
	// TakenLabels are names that no label of the operator's may have.
	TakenLabels []string
	// LookupEnv is asked for the variables of ${env:NAME}; nil is [os.LookupEnv].
	LookupEnv func(string) (string, bool)
}

// Load reads a configuration file. The error is [Problems], with everything that is wrong.
func Load(path string, opts Options) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, Problems{{File: path, Message: fmt.Sprintf("cannot be read: %s; name a readable YAML file", cause(err))}}
	}
	return Parse(path, data, opts)
}

// Parse is [Load] for a file that was read already. The path appears in problems, and relative paths start at its folder.
func Parse(path string, data []byte, opts Options) (*Config, error) {
	c := new(Config)
	if err := Unmarshal(path, data, c, opts); err != nil {
		return nil, err
	}
	return c, nil
}

// Unmarshal decodes YAML into a pointer to a struct by this package's rules: defaults, strict decoding, validation. The error is [Problems].
func Unmarshal(path string, data []byte, into any, opts Options) error {
	d := newDecoder(path, opts)
	absolute, err := filepath.Abs(path)
	if err != nil {
		return Problems{{File: path, Message: fmt.Sprintf("cannot find its folder: %s", err)}}
	}
	d.dir = filepath.Dir(absolute)
	if root := d.parse(data); root != nil {
		if opts.Amend != nil {
			if p := opts.Amend(root); p != nil {
				d.report(p.Line, p.Path, p.Message)
				return d.problems.asError()
			}
		}
		d.decodeRoot(reflect.ValueOf(into).Elem(), root)
	}
	return d.problems.asError()
}

// UnmarshalNode is [Unmarshal] for values that another program has read, such as the OpenTelemetry Collector: their lines are 0, and their tags empty where
// it has kept the text. Nothing is expanded, and a number isn't taken for a text, since 0123 may have become 83. Relative paths start at the working directory.
func UnmarshalNode(name string, root *yaml.Node, into any, opts Options) error {
	dir, err := os.Getwd()
	if err != nil {
		return Problems{{File: name, Message: fmt.Sprintf("cannot find the working directory: %s", err)}}
	}
	d := newDecoder(name, opts)
	d.foreign, d.dir = true, dir
	d.decodeRoot(reflect.ValueOf(into).Elem(), root)
	return d.problems.asError()
}

func newDecoder(file string, opts Options) *decoder {
	d := &decoder{Options: opts, file: file, lines: map[string]int{}, broken: map[string]bool{}}
	if d.LookupEnv == nil {
		d.LookupEnv = os.LookupEnv
	}
	return d
}

// decodeRoot decodes a whole configuration, unless the definitions that it names have problems: what would follow from them says no more.
func (d *decoder) decodeRoot(v reflect.Value, root *yaml.Node) {
	if d.define(root); len(d.problems) > 0 {
		return
	}
	v.SetZero()
	setDefaults(v)
	d.decode(v, root, place{line: root.Line})
}

// parse returns the root of the one document in the file, nil after reporting why there is none.
func (d *decoder) parse(data []byte) *yaml.Node {
	document, err := parseYAML(data)
	switch {
	case err != nil:
		line := syntaxErrorLine(data)
		message := syntaxErrorMessage(err)
		if text := bytes.Split(data, []byte("\n"))[line-1]; bytes.Contains(text[:len(text)-len(bytes.TrimLeft(text, " \t"))], []byte("\t")) {
			message = "cannot be parsed: the line is indented with a tab; YAML wants spaces"
		}
		d.report(line, "", message)
	case len(document.Content) == 0 || isNull(document.Content[0]):
		d.report(1, "", "is empty; see config.example.yaml for what belongs here")
	case document.Content[0].Kind != yaml.MappingNode:
		d.report(document.Content[0].Line, "", "must be a mapping of keys to values; see config.example.yaml")
	default:
		return document.Content[0]
	}
	return nil
}

// parseYAML parses a file, which may be empty. The library panics on some invalid inputs.
func parseYAML(data []byte) (document yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: the parser cannot read this (%v)", p)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err = decoder.Decode(&document); err == nil {
		if err = decoder.Decode(new(yaml.Node)); err == nil {
			err = errors.New("a second YAML document begins here; a configuration is a single one")
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return document, err
}

// syntaxErrorLine is the line after the longest beginning of the file that can be parsed. The library's own line is often that of the
// block around the error, or missing. No beginning that has the error can be parsed, and nearly all that don't have it can: steps find out
// where to look line by line. A list or a text in quotes may be open at one step, hence two.
func syntaxErrorLine(data []byte) int {
	const step = 64
	ends := []int{0}
	for line := range bytes.Lines(data) {
		ends = append(ends, ends[len(ends)-1]+len(line))
	}
	broken := func(lines int) bool {
		_, err := parseYAML(data[:ends[lines]])
		return err != nil
	}
	last := len(ends) - 1
	n := last
	for n > 0 && broken(n) {
		n = max(n-step, 0)
	}
	for n = min(n+2*step, last); n > 0 && broken(n); {
		n--
	}
	return min(n+1, last)
}

// yamlPrefix begins the errors of the YAML library.
var yamlPrefix = regexp.MustCompile(`^yaml: (line \d+: )?`)

// syntaxErrorMessage words an error of the YAML library. An anchor isn't named: it may be of a secret that begins with * and lacks its quotes.
func syntaxErrorMessage(err error) string {
	message := yamlPrefix.ReplaceAllString(err.Error(), "")
	if strings.HasPrefix(message, "unknown anchor") {
		message = "there is no such anchor; put a text that begins with * in quotes"
	}
	return "cannot be parsed: " + message
}

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
	var pattern string // it may come from the environment
	if d.decode(reflect.ValueOf(&pattern).Elem(), item, at); d.isBroken(at.path) {
		return nil
	}
	files, err := filepath.Glob(d.resolve(pattern))
	if err != nil || len(files) == 0 {
		d.report(at.line, at.path, "names no file; give a file, or a pattern such as providers/*.yaml")
	}
	slices.Sort(files)
	return files
}
