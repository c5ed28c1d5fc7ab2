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

// Options are the additional inputs of [Load], [Parse] and [Unmarshal].
type Options struct {
	// Providers are the kinds of sources by the keys of their blocks. Each makes a pointer to a new
	// struct, with its [Defaulter] and [Validator].
	Providers map[string]func() any
	// Define reads the files that `definitions` names, and returns additional kinds of sources; if
	// nil, the files are ignored. Its problems are Problems.
	Define func(files []string) (map[string]func() any, error)
	// Amend changes a document before it is decoded, and returns its problems; may be nil.
	Amend func(root *yaml.Node) *Problem
	// CheckFiles opens every file that the configuration names.
	CheckFiles bool
	// TakenLabels are names that no label of the operator may have.
	TakenLabels []string
	// LookupEnv looks up the variables of ${env:NAME}; nil means [os.LookupEnv].
	LookupEnv func(string) (string, bool)
}

// Load reads a configuration file. Its error is [Problems], with all problems.
func Load(path string, opts Options) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, Problems{{File: path, Message: fmt.Sprintf("can't be read: %s; name a readable YAML file",
			cause(err))}}
	}
	return Parse(path, data, opts)
}

// Parse is [Load] for the content of a file. The path appears in problems, and relative paths start
// at its folder.
func Parse(path string, data []byte, opts Options) (*Config, error) {
	c := new(Config)
	if err := Unmarshal(path, data, c, opts); err != nil {
		return nil, err
	}
	return c, nil
}

// Unmarshal decodes YAML into a pointer to a struct by this package's rules: defaults, strict
// decoding, validation. The error is [Problems].
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

// UnmarshalNode is [Unmarshal] for values that another program has read, such as the OpenTelemetry
// Collector. Their lines are 0, and their tags are empty if the program kept the text. Nothing is
// expanded, and a number isn't accepted as a text, since 0123 may have become 83. Relative paths
// start at the working directory.
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

// decodeRoot decodes a whole configuration, unless its definitions have problems, which would only
// cause more problems.
func (d *decoder) decodeRoot(v reflect.Value, root *yaml.Node) {
	if d.define(root); len(d.problems) > 0 {
		return
	}
	v.SetZero()
	setDefaults(v)
	d.decode(v, root, place{line: root.Line})
}

// parse returns the root of the only document in the file, or nil after reporting why there is
// none.
func (d *decoder) parse(data []byte) *yaml.Node {
	document, err := parseYAML(data)
	switch {
	case err != nil:
		line := syntaxErrorLine(data)
		message := syntaxErrorMessage(err)
		if text := bytes.Split(data, []byte("\n"))[line-1]; bytes.Contains(text[:len(text)-len(bytes.TrimLeft(text,
			" \t"))], []byte("\t")) {
			message = "cannot be parsed: the line is indented with a tab; YAML requires spaces"
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

// syntaxErrorLine is the line after the longest beginning of the file that can be parsed. The
// library's own line is often the start of the block around the error, or missing. A beginning that
// includes the error can't be parsed, and nearly all others can: large steps find out where to
// search line by line. A list or a quoted text may be open at one step, so two steps must fail.
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

// syntaxErrorMessage explains an error of the YAML library. It doesn't name an anchor, which may be
// an unquoted secret that begins with *.
func syntaxErrorMessage(err error) string {
	message := yamlPrefix.ReplaceAllString(err.Error(), "")
	if strings.HasPrefix(message, "unknown anchor") {
		message = "the anchor isn't defined; put a text that begins with * in quotes"
	}
	return "cannot be parsed: " + message
}

// define reads the definitions that the file names before anything else is decoded, because they
// define the blocks of sources.
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

// filesOf are the files that match a pattern.
func (d *decoder) filesOf(item *yaml.Node, at place) []string {
	var pattern string // it may come from the environment
	if d.decode(reflect.ValueOf(&pattern).Elem(), item, at); d.isBroken(at.path) {
		return nil
	}
	files, err := filepath.Glob(d.resolve(pattern))
	if err != nil || len(files) == 0 {
		d.report(at.line, at.path, "matches no file; name a file, or a pattern such as providers/*.yaml")
	}
	slices.Sort(files)
	return files
}
