package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// csvExport reads records of a CSV file in place of the provider's: a portal's export, or what
// `records --output csv` has written. The file is read anew for each span, so that memory doesn't
// grow with it.
type csvExport struct {
	file    string
	columns map[string]int // of the head, by name
	// first is where the first span begins: lines that can't be read are of no day, and count there.
	first time.Time
}

// exportRows is how many records a page has.
const exportRows = 1000

// openExport reads a file once, and says which of its lines can't be read.
func openExport(file string, problems io.Writer) (*csvExport, error) {
	e := &csvExport{file: file}
	r, rows, err := e.open()
	if err == nil {
		err = errors.Join(e.check(r, problems), rows.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("--against %s: %w", file, err)
	}
	return e, nil
}

// check reads the lines after the head.
func (e *csvExport) check(r *csv.Reader, problems io.Writer) error {
	if !e.has("id") || !e.has("start") {
		return errors.New("its first line must name the columns id and start, or UsageId and Start Time, or " +
			"uuid and date; amounts and currencies are compared if they are there")
	}
	for {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := e.record(line); err != nil {
			at, _ := r.FieldPos(0)
			fmt.Fprintf(problems, "%s: line %d: left out: %v\n", e.file, at, err)
		}
	}
}

func (e *csvExport) has(column string) bool {
	_, has := e.columns[column]
	return has
}

// hasAmounts says whether amounts can be compared: they have a currency.
func (e *csvExport) hasAmounts() bool { return e.has("amount") && e.has("currency") }

// open opens the file and reads its head.
func (e *csvExport) open() (*csv.Reader, io.Closer, error) {
	file, err := os.Open(e.file)
	if err != nil {
		return nil, nil, err
	}
	r := csv.NewReader(file)
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	head, err := r.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, errors.Join(err, file.Close())
	}
	e.columns = columnsOf(head)
	return r, file, nil
}

// portalNames are what portals call the columns, in small letters and without spaces: Microsoft's
// in the exported PSTN usage report of the Teams admin centre, and Wavix's.
var portalNames = map[string]string{
	"usageid": "id", "uuid": "id", "starttime": "start", "date": "start",
	"charge": "amount",
}

// connectionFee is Microsoft's column of what a call costs beside its charge.
const connectionFee = "connectionfee"

// columnsOf are the places of columns by our names. A column with our name goes before one with a portal's name.
func columnsOf(head []string) map[string]int {
	columns, portals := make(map[string]int), make(map[string]int)
	for i, name := range head {
		// spreadsheets write a byte order mark
		name = strings.ToLower(strings.Join(strings.Fields(strings.TrimPrefix(name, "\ufeff")), ""))
		columns[name] = i
		if ours, known := portalNames[name]; known {
			portals[ours] = i
		}
	}
	maps.Copy(portals, columns)
	return portals
}

// Pages implements collector.RangeReader.
func (e *csvExport) Pages(_ context.Context, from, to time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		r, file, err := e.open()
		if err == nil {
			defer file.Close() //nolint:errcheck // nothing was written
		}
		e.first = cmp.Or(e.first, from)
		var rest []*cdr.Record // the newest record, whose charges may go on
		for more := true; more && err == nil; {
			page := &collector.Page{Records: rest}
			if more, err = e.fill(page, r, from, to); err == nil && more {
				rest, page.Records = page.Records[exportRows:], page.Records[:exportRows]
			}
			if err == nil && !yield(page, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, fmt.Errorf("--against: %w", err))
		}
	}
}

// fill reads rows into a page until it has one record too many. Lines of one id that follow one
// another are the charges of one record.
func (e *csvExport) fill(page *collector.Page, r *csv.Reader, from, to time.Time) (more bool, err error) {
	for len(page.Records) <= exportRows {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		record, err := e.record(line)
		if err != nil {
			if from.Equal(e.first) {
				at, _ := r.FieldPos(0)
				page.Invalid = append(page.Invalid, collector.BadRow{
					Content: []byte(strings.Join(line, "\x1f")),
					At:      fmt.Sprintf("line %d", at), Problem: err.Error(),
				})
			}
			continue
		}
		if record.Start.Before(from) || !record.Start.Before(to) {
			continue
		}
		if n := len(page.Records); n > 0 && page.Records[n-1].ID == record.ID {
			page.Records[n-1].Charges = append(page.Records[n-1].Charges, record.Charges...)
			continue
		}
		page.Records = append(page.Records, record)
	}
	return true, nil
}

// exportTimes are the forms of a start; one without a zone is in UTC.
var exportTimes = []string{time.RFC3339Nano, time.DateTime, "2006-01-02T15:04:05.999999999"}

func (e *csvExport) record(line []string) (r *cdr.Record, err error) {
	value := func(column string) string {
		if i, has := e.columns[column]; has && i < len(line) {
			return strings.TrimSpace(line[i])
		}
		return ""
	}
	id := value("id")
	if plain := strings.TrimPrefix(id, "'"); noFormula(plain) == id { // `records` has put the apostrophe before it
		id = plain
	}
	r = &cdr.Record{ID: strings.Clone(id)}
	if r.ID == "" {
		return nil, errors.New("no id")
	}
	start := value("start")
	form := slices.IndexFunc(exportTimes,
		func(form string) bool { _, err := time.Parse(form, start); return err == nil })
	if form < 0 {
		return nil, errors.New("start isn't a time as 2026-11-20T12:00:00Z or 2026-11-20 12:00:00")
	}
	r.Start, _ = time.Parse(exportTimes[form], start)
	for _, amount := range [...]struct{ column, component string }{
		{"amount", value("component")},
		{connectionFee, "connection"},
	} {
		text := value(amount.column)
		if text == "" || !e.hasAmounts() {
			continue
		}
		c := cdr.Charge{Component: strings.Clone(amount.component), Currency: strings.Clone(value("currency"))}
		if c.Amount, err = cdr.ParseMoney(text); err != nil {
			return nil, fmt.Errorf("%s: %w", amount.column, err)
		}
		r.Charges = append(r.Charges, c)
	}
	return r, nil
}
