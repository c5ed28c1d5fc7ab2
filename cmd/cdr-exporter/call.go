package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// call prints one call record of Teams with all its parts.
type call struct {
	config, source string
	id, output     string
}

var guid = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func newCall(c *kingpin.CmdClause) command {
	k := &call{}
	c.Flag("config.file", "Configuration file.").Default("config.yaml").StringVar(&k.config)
	c.Flag("source", "Name of the source.").Required().StringVar(&k.source)
	c.Flag("output", "tree or json.").Default("tree").EnumVar(&k.output, "tree", "json")
	c.Arg("id", "Id of the call record.").Required().StringVar(&k.id)
	c.Validate(func(*kingpin.CmdClause) error {
		if !guid.MatchString(k.id) {
			return errors.New("the id of a call record is a GUID, such as 5e4d3c2b-1a09-4f8e-b7c6-d5e4f3a2b1c0")
		}
		return nil
	})
	return k.run
}

func (k *call) run(ctx context.Context, s streams) error {
	source, redactor, err := openRedacted(ctx, k.config, k.source)
	if err != nil {
		return err
	}
	defer closeSource(source)
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
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(newCallObject(tree))
	} else {
		_, err = io.WriteString(out, callText(tree, "", ""))
	}
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// lookUp asks the provider. Its errors say what to do.
func (k *call) lookUp(ctx context.Context, source *collector.Source) (*collector.CallTree, error) {
	if source.LookUp == nil {
		return nil, fmt.Errorf("--source: %s can't look a call up by its id, only a msgraph source with the feed call_records can; "+
			"cdr-exporter records prints the calls of a time", k.source)
	}
	tree, err := source.LookUp(ctx, strings.ToLower(k.id))
	switch {
	case err == nil:
		return tree, nil
	case errors.Is(err, collector.ErrNotYet), errors.Is(err, collector.ErrGone):
		return nil, fmt.Errorf("%s has no call record %s: it may be too young (a record comes 15 minutes after the call's end, some hours later; try again then), "+
			"older than the 30 days that records are kept, or another tenant's", k.source, k.id)
	}
	what, todo := source.Advise(err)
	return nil, fmt.Errorf("look up call record %s of %s: %s; %s", k.id, k.source, what, todo)
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
