package main

import (
	"strings"
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

// callText is a call for people to read:
//
//	call  id: 5e4d3c2b-…  type: peer_to_peer
//	├─ participant  user_id: 3f…
//	└─ session  result: ok
//	   └─ stream  media: audio  verdict: good
//	              jitter: 12 ms
//
// First precedes its first line, below the lines of its children.
func callText(tree *collector.CallTree, first, below string) string {
	trunk := below // what leads down to the children, beside the fields
	if len(tree.Children) > 0 {
		trunk += "│"
	}
	text := first + printable(tree.Label)
	indent := trunk + strings.Repeat(" ", max(0, width(text)-width(trunk))) + betweenFields
	for i, fields := range fieldLines(tree.Fields, max(leastRoom, treeWidth-width(indent))) {
		if i == 0 {
			text += betweenFields + fields
		} else {
			text += "\n" + indent + fields
		}
	}
	text += "\n"
	for i, child := range tree.Children {
		if i < len(tree.Children)-1 {
			text += callText(child, below+"├─ ", below+"│  ")
		} else {
			text += callText(child, below+"└─ ", below+"   ")
		}
	}
	return text
}

// fieldLines are the fields in lines of so many columns, unless a field alone is longer.
func fieldLines(fields []cdr.Attr, room int) (lines []string) {
	for _, c := range attrCells(fields) {
		field := printable(c.column + ": " + c.text())
		last := len(lines) - 1
		if last >= 0 && width(lines[last]+betweenFields+field) <= room {
			lines[last] += betweenFields + field
		} else {
			lines = append(lines, field)
		}
	}
	return lines
}

// attrCells are fields as cells.
func attrCells(attrs []cdr.Attr) (cells []cell) {
	for i := range attrs {
		a := &attrs[i]
		c := cell{a.Key, a.Str}
		switch a.Type {
		case cdr.IntAttr:
			c.value = a.Int
		case cdr.BoolAttr:
			c.value = a.Int != 0
		case cdr.StringsAttr:
			c.value = a.Strs
		case cdr.StringAttr:
		}
		cells = append(cells, c)
	}
	return cells
}

// width is how many columns a text takes.
func width(text string) int { return utf8.RuneCountInString(text) }

// callObject is a call as JSON.
type callObject struct {
	Label    string         `json:"label"`
	Fields   map[string]any `json:"fields"`
	Children []callObject   `json:"children,omitempty"`
}

func newCallObject(tree *collector.CallTree) callObject {
	call := callObject{Label: tree.Label, Fields: object(attrCells(tree.Fields))}
	for _, child := range tree.Children {
		call.Children = append(call.Children, newCallObject(child))
	}
	return call
}
