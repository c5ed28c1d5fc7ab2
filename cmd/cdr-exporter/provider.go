package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// newProviderList lists the providers that there are.
func newProviderList(*kingpin.CmdClause) command {
	return func(_ context.Context, s streams) error {
		table := newTable(s.out)
		fmt.Fprintln(table, "provider\tfeed\tis\tread by\trecords say")
		for _, p := range app.Providers() {
			is, sources := "built in, in Go", declared.BuiltinSources(p.Name)
			if sources != nil {
				is = "built in, a definition"
			}
			for _, f := range p.Feeds() {
				var says []string
				for what, does := range map[string]bool{
					"calls in progress": f.Snapshot, "why calls don't connect": f.Reasons, "SIP codes": f.SIPCodes,
					"how media went":   f.Streams,
					"visits to queues": f.Visits,
				} {
					if does {
						says = append(says, what)
					}
				}
				slices.Sort(says)
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", p.Name, f.Name, is, cmp.Or(sources[f.Name], "HTTP"),
					cmp.Or(strings.Join(says, ", "), "whether calls connect"))
			}
		}
		return table.Flush()
	}
}

// newProviderShow prints a definition.
func newProviderShow(c *kingpin.CmdClause) command {
	name := c.Arg("name", "Provider, such as twilio.").Required().String()
	return func(_ context.Context, s streams) error {
		text, err := declared.BuiltinText(*name)
		if err != nil {
			if slices.Contains(providerNames(), *name) {
				return fmt.Errorf("%s is written in Go, so it has no definition", *name)
			}
			return err
		}
		_, err = s.out.Write(text)
		return err
	}
}

// providerTry reads saved rows through a definition.
type providerTry struct {
	file, rows, feed, output string
	set                      map[string]string
	asUTC                    bool // times have no zone, and no zone was given
}

func newProviderTry(c *kingpin.CmdClause) command {
	t := &providerTry{set: make(map[string]string)}
	c.Arg("file", "Definition, a file of YAML or the name of a built-in one.").Required().StringVar(&t.file)
	c.Arg("rows", "Saved rows: a page of JSON, JSON lines, or CSV with its names in the first line.").Required().
		StringVar(&t.rows)
	c.Flag("feed", "Feed of the definition, if it has several.").StringVar(&t.feed)
	c.Flag("set", "NAME=VALUE: a parameter of the definition, time_zone, or columns of files; several values "+
		"of a list are separated by commas. May be repeated.").StringMapVar(&t.set)
	c.Flag("output", "table, jsonl or csv.").Default("table").EnumVar(&t.output, "table", "jsonl", "csv")
	return t.run
}

func (t *providerTry) run(_ context.Context, s streams) error {
	d, err := loadDefinition(t.file)
	if err != nil {
		return err
	}
	mapper, currency, err := t.mapper(d)
	if err != nil {
		return err
	}
	rows, err := os.ReadFile(t.rows)
	if err != nil {
		return fmt.Errorf("read the rows: %w", err)
	}
	return t.print(mapper, currency, rows, s)
}

// mapper makes a mapper of the feed, and says the currency of charges that name none.
func (t *providerTry) mapper(d *declared.Definition) (mapper *declared.Mapper, currency string, err error) {
	name, err := feedOf(d, t.feed, t.file)
	if err != nil {
		return nil, "", err
	}
	feed := d.Feeds[name]
	all, parameters := d.ParametersFor(&feed)
	settings := declared.MapperSettings{Parameters: parameters}
	for key, value := range t.set {
		if key == declared.TimeZone {
			if settings.Zone, err = time.LoadLocation(value); err != nil {
				return nil, "", fmt.Errorf("--set %s: give a time zone such as Europe/Berlin", key)
			}
			continue
		}
		if key == declared.Columns && feed.SetColumns(strings.Split(value, ",")) {
			continue
		}
		of, _, _ := strings.Cut(key, ".") // such as carriers.acme
		p, is := all[of]
		if !is {
			return nil, "", fmt.Errorf("--set: the definition has no parameter %s", key)
		}
		if p.Secret {
			continue // rows don't need it
		}
		if parameters[key] = []string{value}; p.List || p.Map != "" {
			parameters[key] = strings.Split(value, ",")
		}
	}
	t.asUTC = settings.Zone == nil && feed.NeedsZone()
	return declared.NewMapper(&feed, settings), d.CurrencyFor(parameters), nil
}

// waited is how long a caller waited.
func waited(v *cdr.Visit) string {
	if !v.Wait.Known {
		return "unknown"
	}
	return v.Wait.Value.String()
}

// print prints the records, redacted as by default. It lists all other rows on the standard error.
func (t *providerTry) print(mapper *declared.Mapper, currency string, rows []byte, s streams) error {
	printer, flush := newPrinter(t.output, false, s.out)
	redactor := cdr.NewRedactor(cdr.DefaultPolicy(), nil)
	notes := new(rowNotes)
	records, ignored, invalid := 0, 0, 0
	doubts := newDoubts()
	for number, m := range mapper.Try(rows) {
		for _, u := range m.Unmapped {
			notes.add(number, fmt.Sprintf("%s is unknown: no table has %q", u.Field, cdr.HideNumbers(u.Value)))
		}
		switch {
		case m.Invalid != "":
			invalid++
			notes.add(number, "invalid: "+m.Invalid)
		case m.Ignored:
			ignored++
			notes.add(number, "ignored")
		default:
			if records++; m.Record.Provisional {
				notes.add(number, "not final: it is looked up again")
			}
			for i := range m.Record.Visits {
				v := &m.Record.Visits[i]
				notes.add(number, fmt.Sprintf("a visit to queue %q: %s, waited %s", v.Queue, v.Result, waited(v)))
			}
			for i := range m.Record.Charges {
				c := &m.Record.Charges[i]
				c.Currency = cmp.Or(c.Currency, currency) // as when they are counted
			}
			doubts.add(number, m.Record)
			redactor.Redact(m.Record)
			if err := printer(m.Record, nil); err != nil {
				return fmt.Errorf("print: %w", err)
			}
		}
	}
	err, end := flush(), new(strings.Builder)
	if unseen := mapper.Unseen(); records > 0 && len(unseen) > 0 {
		fmt.Fprintf(end, "no record has a value at %s\n", strings.Join(unseen, ", "))
	}
	for _, text := range mapper.Failing() {
		fmt.Fprintf(end, "%s: fails for each row, because a value isn't the number or time that it needs\n", text)
	}
	if records > 0 && t.asUTC {
		end.WriteString("times without a zone were read as UTC: give zone, or --set time_zone=ZONE\n")
	}
	doubts.print(end)
	fmt.Fprintf(s.errors, "%s%s%d rows: %d records, %d ignored, %d invalid\n", notes, end, records+ignored+invalid,
		records, ignored, invalid)
	if invalid > 0 {
		err = errors.Join(err, errSilent)
	}
	return err
}

// rowNotes are texts about rows, each with the first row and how many others have it.
type rowNotes struct {
	texts []string         // in order
	rows  map[string][]int // that have a text
}

func (n *rowNotes) add(row int, text string) {
	if n.rows == nil {
		n.rows = make(map[string][]int)
	}
	if n.rows[text] == nil {
		n.texts = append(n.texts, text)
	}
	n.rows[text] = append(n.rows[text], row)
}

// String is a line for each text.
func (n *rowNotes) String() string {
	var b strings.Builder
	for _, text := range n.texts {
		rows, more := n.rows[text], ""
		if len(rows) > 1 {
			more = fmt.Sprintf(" and %d more", len(rows)-1)
		}
		fmt.Fprintf(&b, "row %d%s: %s\n", rows[0], more, text)
	}
	return b.String()
}
