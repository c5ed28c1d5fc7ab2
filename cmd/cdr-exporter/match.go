package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
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
	trunk, rightTrunk string
	output, list      string
	text              bool
	numbers           string // empty: as privacy.numbers says; in a text none

	settings match.Settings
	folder   string // of temporary files
	errors   io.Writer
	leftOut  int // rows and records of both books
}

func newMatch(c *kingpin.CmdClause) command {
	m := new(matchCommand)
	run := configCommand(c, m.run)
	c.Flag("left", "SOURCE/FEED of the first book.").Required().StringVar(&m.left)
	c.Flag("right", "SOURCE/FEED of the second book, or a file that --definition describes.").Required().
		StringVar(&m.right)
	rangeFlags(c, &m.from, &m.to, "now", "0s")
	m.file.define(c, "Definition of the file, such as bill.yaml.")
	c.Flag("feed", "Feed of the definition, if it has several.").StringVar(&m.file.feed)
	c.Flag("country", "Country of numbers without a calling code, as an ISO 3166-1 code such as DE.").
		PlaceHolder("CODE").StringVar(&m.country)
	c.Flag("tolerance", "How far apart the starts of the same call may be, after the clocks are corrected.").
		Default("3s").DurationVar(&m.settings.Tolerance)
	c.Flag("tariff", "How the right book rounds durations up, such as 60/60; default: match finds out.").
		PlaceHolder("FIRST/NEXT").StringVar(&m.tariff)
	c.Flag("trunk", "Compare the legs of the left book on this trunk instead of calls.").StringVar(&m.trunk)
	c.Flag("right-trunk", "Compare the legs of the right book on this trunk instead of calls.").
		PlaceHolder("TRUNK").StringVar(&m.rightTrunk)
	c.Flag("output", "table, csv or json.").Default("table").EnumVar(&m.output, "table", "csv", "json")
	names := match.ClassNames()
	c.Flag("list", "Print the calls of a class instead of the sums: "+strings.Join(names, ", ")+".").
		PlaceHolder("CLASS").EnumVar(&m.list, names...)
	c.Flag("text", "Print a letter to the carrier, without phone numbers unless --numbers is given.").BoolVar(&m.text)
	c.Flag("numbers", "keep, mask, hash or drop, instead of the configuration's privacy.numbers.").
		PlaceHolder("MODE").EnumVar(&m.numbers, "keep", "mask", "hash", "drop")
	return run
}

// check checks the flags.
func (m *matchCommand) check() (err error) {
	s := &m.settings
	if s.From, s.To, err = parseRange(m.from, m.to, time.Now(), time.UTC); err != nil {
		return err
	}
	m.country = strings.ToUpper(m.country)
	if m.tariff != "" {
		s.Tariff, err = match.ParseTariff(m.tariff)
	}
	switch {
	case err != nil:
		err = fmt.Errorf("--tariff: %w", err)
	case s.Tolerance <= 0 || s.Tolerance > match.LongestTolerance:
		err = fmt.Errorf("--tolerance: give a duration above 0, at most %s, such as 3s", match.LongestTolerance)
	case m.country != "" && phonenumbers.GetCountryCodeForRegion(m.country) == 0:
		err = errors.New("--country: give a code of ISO 3166-1, such as DE")
	case m.text && m.list != "":
		err = errors.New("--text and --list: give one of them")
	default:
		return nil
	}
	return usageError{err}
}

func (m *matchCommand) run(ctx context.Context, c *commandConfig, s streams) (err error) {
	if err := m.check(); err != nil {
		return err
	}
	if m.folder, err = os.MkdirTemp("", "cdr-exporter-match-"); err != nil {
		return fmt.Errorf("make a temporary folder: point TMPDIR at one that can be written: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(m.folder)) }()
	m.errors, m.settings.Note = s.errors, func(text string) { fmt.Fprintln(s.errors, text) }
	left, right, err := m.open(c)
	if err != nil {
		return err
	}
	list := match.List{Sorter: disksort.New(m.folder)}
	defer func() { err = errors.Join(err, left.Close(), right.Close(), list.Close()) }()
	for _, b := range []*book{left, right} {
		if err := m.read(ctx, b); err != nil {
			return err
		}
	}
	if m.list != "" || m.text {
		m.settings.Visit = func(class match.Class, left, right *match.Call) error {
			if class.String() != m.list && (!m.text || class == match.Same) {
				return nil
			}
			return list.Add(class, left, right)
		}
	}
	result, err := match.Run(ctx, m.settings, left.Book, right.Book)
	if err != nil {
		return err
	}
	if err := m.print(ctx, c, result, list, s.out); err != nil {
		return err
	}
	if result.Differs() || m.leftOut > 0 {
		return errSilent
	}
	return nil
}

// print prints the letter, the list or the sums, as the flags say.
func (m *matchCommand) print(
	ctx context.Context, c *commandConfig, result *match.Result, list match.List, out io.Writer,
) error {
	if m.text && m.numbers == "" {
		m.numbers = "drop"
	}
	c.Privacy.Numbers = cmp.Or(m.numbers, c.Privacy.Numbers)
	p := &matchPrinter{matchCommand: m, result: result, out: out}
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
		class := match.Class(slices.Index(match.ClassNames(), m.list))
		_, err = p.printCalls(list, class, m.output, math.MaxInt)
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
