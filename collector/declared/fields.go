package declared

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func (p *mapping) fail(field, problem string) {
	if p.problem == "" {
		p.problem = field + " " + problem
	}
}

// read reads a field whose texts are words, times or amounts, never numbers, names or addresses: parse accepts no
// others. A value that a table lacks is reported; one with a wrong form spoils the row.
func read[T any](
	p *mapping, field string, v *language.Value, parse func(*language.Result) (value T, problem string),
) (value T, found bool) {
	return readAs(p, field, v, false, parse)
}

// readAs reads a field. If its texts may be personal, the record's origins don't repeat them.
func readAs[T any](
	p *mapping, field string, v *language.Value, personal bool, parse func(*language.Result) (value T, problem string),
) (value T, found bool) {
	result := language.Read(&p.row, v, parse)
	switch {
	case result.Found:
		p.noteOrigin(field, result.From, personal)
	case result.Unmapped != "":
		p.unmapped = append(p.unmapped, collector.Unmapped{Field: field, Value: result.Unmapped})
	case result.Wrong != "" && !personal && p.row.Tried != nil && result.Text != "":
		p.fail(field, result.Wrong+"; the row has "+strconv.Quote(shapeOf(result.Text))+" (0 is any digit)")
	case result.Wrong != "":
		p.fail(field, result.Wrong)
	}
	return result.Value, result.Found
}

// shapeOf is the form of a text, in which each digit is 0: whatever is there, it doesn't show a number.
func shapeOf(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsDigit(c) {
			return '0'
		}
		return c
	}, text[:min(len(text), longestShape)])
}

const longestShape = 60

// noteOrigin notes where a field was taken from.
func (p *mapping) noteOrigin(field string, g *language.Result, personal bool) {
	if p.trace == "" {
		return
	}
	o := cdr.Origin{Field: field, Table: g.IsTable(), Where: p.trace + ":" + strconv.Itoa(g.Line())}
	if !personal {
		o.Value = strings.Clone(g.Row)
	}
	p.record.Origins = append(p.record.Origins, o)
}

// text reads a text that may be a number, a name or an address.
func (p *mapping) text(field string, v *language.Value) string {
	text, _ := readAs(p, field, v, true, clonedText)
	return text
}

// word reads a text that is a word, such as a type of calls.
func (p *mapping) word(field string, v *language.Value) string {
	text, _ := read(p, field, v, clonedText)
	return text
}

func clonedText(g *language.Result) (text, problem string) { return strings.Clone(g.Text), "" }

// readWord reads a field with a fixed set of words, in any case. problem is the error for another text.
func readWord[T any](
	p *mapping, field string, v *language.Value, words map[string]T, problem string,
) (word T, found bool) {
	return read(p, field, v, func(g *language.Result) (T, string) {
		word, known := words[strings.ToLower(g.Text)]
		if !known {
			return word, problem
		}
		return word, ""
	})
}

// integer reads an integer of the given bits. problem is the error for another text.
func (p *mapping) integer(field string, v *language.Value, bits int, problem string) (n int64, found bool) {
	return read(p, field, v, func(g *language.Result) (int64, string) {
		n, is := language.Integer(g.Text, bits)
		if !is {
			return 0, problem
		}
		return n, ""
	})
}

// code is the text of a country's or a currency's code of the given number of letters, in capitals. Any other
// text, such as a number, must not become a label: it counts as unmapped.
func (p *mapping) code(field, text string, letters int) string {
	code := strings.ToUpper(text)
	isLetter := func(c rune) bool { return c >= 'A' && c <= 'Z' }
	if code != "" && (len(code) != letters || strings.TrimFunc(code, isLetter) != "") {
		p.unmapped = append(p.unmapped, collector.Unmapped{Field: field, Value: code})
		return ""
	}
	return code
}

func (p *mapping) time(field string, v *language.Value) time.Time {
	at, _ := read(p, field, v, (*language.Result).Time)
	return at
}
