package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/nyaruka/phonenumbers"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/disksort"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/match"
)

// matchCommand compares two books of the same calls.
type matchCommand struct {
	left, right       string
	file              recordFile // of the right book
	from, to          string
	country, tariff   string
	tolerance         time.Duration
	trunk, rightTrunk string
	output, list      string
	text              bool
	numbers           string // empty: as privacy.numbers says; in a text none
}

func newMatch(c *kingpin.CmdClause) command {
	m := new(matchCommand)
	run := configCommand(c, m.run)
	c.Flag("left", "SOURCE/FEED of the one book.").Required().StringVar(&m.left)
	c.Flag("right", "SOURCE/FEED of the other book, or a file that --definition reads.").Required().StringVar(&m.right)
	rangeFlags(c, &m.from, &m.to, "now", "0s")
	m.file.define(c, "Definition of the file, such as bill.yaml.")
	c.Flag("feed", "Feed of the definition, where it has several.").StringVar(&m.file.feed)
	c.Flag("country", "Country of numbers without a calling code, by its code of ISO 3166-1, such as DE.").
		PlaceHolder("CODE").StringVar(&m.country)
	c.Flag("tolerance", "How far apart the starts of the same call may be, once the clock is corrected.").Default("3s").
		DurationVar(&m.tolerance)
	c.Flag("tariff", "How the right book rounds durations up, such as 60/60; by default it is found.").
		PlaceHolder("FIRST/NEXT").StringVar(&m.tariff)
	c.Flag("trunk", "Compare the legs of the left book that used this trunk, in place of calls.").StringVar(&m.trunk)
	c.Flag("right-trunk", "The same of the right book.").PlaceHolder("TRUNK").StringVar(&m.rightTrunk)
	c.Flag("output", "table, csv or json.").Default("table").EnumVar(&m.output, "table", "csv", "json")
	names := make([]string, 0, len(match.Classes()))
	for _, class := range match.Classes() {
		names = append(names, class.String())
	}
	c.Flag("list", "Print the calls of a class in place of the sums: "+strings.Join(names, ", ")+".").
		PlaceHolder("CLASS").EnumVar(&m.list, names...)
	c.Flag("text", "Print a letter to the carrier, without phone numbers unless --numbers is given.").BoolVar(&m.text)
	c.Flag("numbers", "keep, mask, hash or drop, in place of privacy.numbers of the configuration.").
		PlaceHolder("MODE").EnumVar(&m.numbers, "keep", "mask", "hash", "drop")
	return run
}

// settings are the flags, checked.
func (m *matchCommand) settings() (s match.Settings, err error) {
	if s.From, s.To, err = parseRange(m.from, m.to, time.Now()); err != nil {
		return s, err
	}
	m.country = strings.ToUpper(m.country)
	s.Tolerance = m.tolerance
	if m.tariff != "" {
		t, err := match.ParseTariff(m.tariff)
		if err != nil {
			return s, usageError{fmt.Errorf("--tariff: %w", err)}
		}
		s.Tariff = &t
	}
	switch {
	case !s.From.Before(s.To):
		err = errors.New("--from must be before --to")
	case m.tolerance <= 0 || m.tolerance > match.LongestTolerance:
		err = fmt.Errorf("--tolerance: give a duration above 0, at most %s, such as 3s", match.LongestTolerance)
	case m.country != "" && phonenumbers.GetCountryCodeForRegion(m.country) == 0:
		err = errors.New("--country: give a code of ISO 3166-1, such as DE")
	case m.text && m.list != "":
		err = errors.New("--text and --list: give one of them")
	}
	if err != nil {
		err = usageError{err}
	}
	return s, err
}

func (m *matchCommand) run(ctx context.Context, c *commandConfig, s streams) (err error) {
	settings, err := m.settings()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "cdr-exporter-match-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: point TMPDIR at one that can be written: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	settings.Note = func(text string) { fmt.Fprintln(s.errors, text) }
	reader := &bookReader{command: m, settings: settings, folder: folder, errors: s.errors}
	defer func() { err = errors.Join(err, reader.close()) }()
	if err := reader.open(c); err != nil {
		return err
	}
	if err := reader.read(ctx); err != nil {
		return err
	}
	list := match.List{Sorter: disksort.New(folder)}
	defer func() { err = errors.Join(err, list.Close()) }()
	if m.list != "" || m.text {
		settings.Visit = func(class match.Class, left, right *match.Call) error {
			if class.String() != m.list && (!m.text || class == match.Same) {
				return nil
			}
			return list.Add(class, left, right)
		}
	}
	result, err := match.Run(ctx, settings, reader.books[0].Book, reader.books[1].Book)
	if err != nil {
		return err
	}
	if err := m.print(ctx, c, result, list, &settings, s.out); err != nil {
		return err
	}
	if result.Differs() || reader.leftOut > 0 {
		return errSilent
	}
	return nil
}

// print prints the letter, the list or the sums, as the flags say.
func (m *matchCommand) print(
	ctx context.Context, c *commandConfig, result *match.Result, list match.List, s *match.Settings, out io.Writer,
) error {
	if m.text && m.numbers == "" {
		m.numbers = "drop"
	}
	c.Privacy.Numbers = cmp.Or(m.numbers, c.Privacy.Numbers)
	p := &matchPrinter{matchCommand: m, result: result, settings: s, out: out}
	var err error
	if m.list != "" || m.text {
		if p.redactor, err = c.redactor(ctx); err != nil {
			return err
		}
	}
	switch {
	case m.text:
		err = p.printLetter(list)
	case m.list != "":
		err = p.printList(list)
	case m.output == "json":
		err = printJSON(out, p.object())
	default:
		err = p.printSums()
	}
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
