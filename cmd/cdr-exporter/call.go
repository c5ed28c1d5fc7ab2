package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

type call struct {
	source, id, output string
}

var guid = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func newCall(c *kingpin.CmdClause) command {
	k := &call{}
	run := configCommand(c, k.run)
	c.Flag("source", "Name of the source.").Required().StringVar(&k.source)
	c.Flag("output", "tree or json.").Default("tree").EnumVar(&k.output, "tree", "json")
	c.Arg("id", "Id of the call record.").Required().StringVar(&k.id)
	c.Validate(func(*kingpin.CmdClause) error {
		if !guid.MatchString(k.id) {
			return errors.New("the id of a call record is a GUID, such as 5e4d3c2b-1a09-4f8e-b7c6-d5e4f3a2b1c0")
		}
		return nil
	})
	return run
}

func (k *call) run(ctx context.Context, r *commandConfig, s streams) error {
	redactor, err := r.redactor(ctx)
	if err != nil {
		return err
	}
	source, err := r.open(k.source)
	if err != nil {
		return err
	}
	return k.print(ctx, source, redactor, s.out)
}

// print looks the call up and prints it, redacted.
func (k *call) print(ctx context.Context, source *collector.Source, redactor *cdr.Redactor, out io.Writer) error {
	tree, err := k.lookUp(ctx, source)
	if err != nil {
		return err
	}
	redactTree(redactor, tree)
	if k.output == "json" {
		err = printJSON(out, newCallObject(tree))
	} else {
		_, err = io.WriteString(out, callText(tree, "", ""))
	}
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// lookUp reads the record from the provider. Its errors say what to do.
func (k *call) lookUp(ctx context.Context, source *collector.Source) (*collector.CallTree, error) {
	if source.LookUp == nil {
		return nil, fmt.Errorf("--source: %s can't look a call up by its id, only a msgraph source with the "+
			"feed call_records can; "+
			"cdr-exporter records prints the calls of a range of time", k.source)
	}
	tree, err := source.LookUp(ctx, strings.ToLower(k.id))
	switch {
	case err == nil:
		return tree, nil
	case errors.Is(err, collector.ErrNotYet), errors.Is(err, collector.ErrGone):
		return nil, fmt.Errorf("%s has no call record %s: it may be too new (a record comes 15 minutes after "+
			"the call's end, some come hours later; try again then), "+
			"older than the 30 days for which Graph keeps records, or another tenant's", k.source, k.id)
	}
	return nil, fmt.Errorf("look up call record %s of %s: %w", k.id, k.source, advised(source, err))
}

// redactTree redacts every field of a call as the configuration says.
func redactTree(redactor *cdr.Redactor, tree *collector.CallTree) {
	fields := cdr.Record{Extra: tree.Fields}
	redactor.Redact(&fields)
	tree.Fields = fields.Extra
	for _, child := range tree.Children {
		redactTree(redactor, child)
	}
}

const (
	// treeWidth is the maximum number of columns.
	treeWidth = 100
	// leastRoom is the minimum width of a field, however deep it is, in columns.
	leastRoom = 30
	// betweenFields separates the fields of a line, because values contain spaces too.
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
	trunk := below // tree lines to the children, left of the fields
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

// fieldLines are the fields in lines of at most room columns, unless a single field is longer.
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

// width is the number of columns of a text.
func width(text string) int { return utf8.RuneCountInString(text) }

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
