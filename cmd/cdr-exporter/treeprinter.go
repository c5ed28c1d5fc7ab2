package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	// treeWidth is the maximum number of columns.
	treeWidth = 100
	// leastRoom is the least number of columns of a field, however deep it is.
	leastRoom = 30
	// betweenFields separates the fields of a line, whose values have spaces too.
	betweenFields = "  "
)

// treePrinter prints a call for people to read:
//
//	call  id: 5e4d3c2b-…  type: peer_to_peer
//	├─ participant  user_id: 3f…
//	└─ session  result: ok
//	   └─ stream  media: audio  verdict: good
//	              jitter: 12 ms
type treePrinter struct {
	out io.Writer
	err error
}

func newTreePrinter(out io.Writer) *treePrinter { return &treePrinter{out: out} }

// print prints a call and its parts.
func (p *treePrinter) print(tree *collector.CallTree) error {
	p.node(tree, "", "")
	return p.err
}

// node prints a part: first precedes its first line, below the lines of its children.
func (p *treePrinter) node(tree *collector.CallTree, first, below string) {
	trunk := below // what leads down to the children, beside the fields
	if len(tree.Children) > 0 {
		trunk += "│"
	}
	label := printable(tree.Label)
	indent := strings.Repeat(" ", max(0, width(first+label)-width(trunk))) + betweenFields
	lines := fieldLines(tree.Fields, max(leastRoom, treeWidth-width(trunk+indent)))
	if len(lines) == 0 {
		p.line(first + label)
	}
	for i, fields := range lines {
		if i == 0 {
			p.line(first + label + betweenFields + fields)
		} else {
			p.line(trunk + indent + fields)
		}
	}
	for i, child := range tree.Children {
		if i < len(tree.Children)-1 {
			p.node(child, below+"├─ ", below+"│  ")
		} else {
			p.node(child, below+"└─ ", below+"   ")
		}
	}
}

func (p *treePrinter) line(text string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.out, text)
	}
}

// fieldLines are the fields in lines of so many columns, unless a field alone is longer.
func fieldLines(fields []cdr.Attr, room int) []string {
	var lines []string
	line := ""
	for i := range fields {
		field := printable(fields[i].Key) + ": " + printable(attrText(&fields[i]))
		if line != "" && width(line+betweenFields+field) > room {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += betweenFields
		}
		line += field
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// attrText is a field's value for people to read.
func attrText(a *cdr.Attr) string {
	if a.Type == cdr.StringsAttr {
		return strings.Join(a.Strs, ", ")
	}
	return fmt.Sprint(attrValue(a))
}

// printable replaces control and direction characters: callers choose their own names.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, text)
}

// width is how many columns a text takes.
func width(text string) int { return utf8.RuneCountInString(text) }

// treeObject is a call as JSON.
type treeObject collector.CallTree

// MarshalJSON implements json.Marshaler.
func (t *treeObject) MarshalJSON() ([]byte, error) {
	children := make([]*treeObject, len(t.Children))
	for i, child := range t.Children {
		children[i] = (*treeObject)(child)
	}
	return json.Marshal(struct {
		Label    string         `json:"label"`
		Fields   map[string]any `json:"fields"`
		Children []*treeObject  `json:"children,omitempty"`
	}{t.Label, attrObject(t.Fields), children})
}
