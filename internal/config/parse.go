package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// searchBudget bounds how many bytes are parsed again to find the line of a syntax error.
const searchBudget = 16 << 20

// yamlLine is the line in an error of the YAML library.
var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// parse returns the root of the one document in the file, nil after reporting why there is none.
func (d *decoder) parse(data []byte) *yaml.Node {
	if !utf8.Valid(data) {
		before := data[:bytes.IndexRune(data, utf8.RuneError)]
		d.report(bytes.Count(before, []byte("\n"))+1, "", "not UTF-8; save the file in this encoding")
		return nil
	}
	documents, err := parseYAML(data)
	switch {
	case err != nil:
		d.report(syntaxErrorLine(data, err), "", syntaxErrorMessage(err))
	case len(documents) == 0 || len(documents[0].Content) == 0 || isNull(documents[0].Content[0]):
		d.report(1, "", "is empty; see config.example.yaml for what belongs here")
	case len(documents) > 1:
		d.report(documents[1].Line, "", "a second YAML document begins here; a configuration is a single one")
	case documents[0].Content[0].Kind != yaml.MappingNode:
		d.report(documents[0].Content[0].Line, "", "must be a mapping of keys to values; see config.example.yaml")
	default:
		return documents[0].Content[0]
	}
	return nil
}

// parseYAML parses all documents of a file. The library panics on some invalid inputs.
func parseYAML(data []byte) (documents []*yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			documents, err = nil, fmt.Errorf("yaml: the parser cannot read this (%v)", p)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		document := new(yaml.Node)
		switch err := decoder.Decode(document); {
		case errors.Is(err, io.EOF):
			return documents, nil
		case err != nil:
			return nil, err
		}
		documents = append(documents, document)
	}
}

// syntaxErrorMessage words an error of the YAML library. It names no anchor, which may be a part of a secret that begins with * and
// lacks its quotes.
func syntaxErrorMessage(err error) string {
	message := strings.TrimPrefix(yamlLine.ReplaceAllString(err.Error(), ""), "yaml: ")
	if strings.HasPrefix(message, "unknown anchor") {
		message = "there is no such anchor; put a text that begins with * in quotes"
	}
	return "not YAML: " + message
}

// syntaxErrorLine finds the line after the longest part of the file that can be parsed. The library's own line is often that of the
// block around the error, or missing; it is used if the search takes too long.
func syntaxErrorLine(data []byte, err error) int {
	lines := bytes.SplitAfter(data, []byte("\n"))
	length, budget := len(data), searchBudget
	for n := len(lines); n > 0 && budget > 0; n-- {
		length -= len(lines[n-1])
		budget -= length
		if _, err := parseYAML(data[:length]); err == nil {
			return n
		}
	}
	line := 0
	if match := yamlLine.FindStringSubmatch(err.Error()); match != nil {
		line, _ = strconv.Atoi(match[1])
	}
	return max(line, 1)
}
