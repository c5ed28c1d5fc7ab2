package declared

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func (p *mapping) fail(field, problem string) {
	if p.problem == "" {
		p.problem = field + " " + problem
	}
}

// read reads a field. A value that a table lacks is reported; one with a wrong form spoils the row.
func read[T any](
	p *mapping, field string, v *language.Value, parse func(*language.Result) (value T, problem string),
) (value T, found bool) {
	result := language.Read(&p.row, v, parse)
	switch {
	case result.Found:
		p.noteOrigin(field, result.From)
	case result.Unmapped != "":
		p.unmapped = append(p.unmapped, collector.Unmapped{Field: field, Value: result.Unmapped})
	case result.Wrong != "":
		p.fail(field, result.Wrong)
	}
	return result.Value, result.Found
}

// wordFields are the fields whose texts are words or amounts, never numbers, names or addresses.
var wordFields = []string{
	"outcome", "direction", "call_type", "sip_code", "amount", "currency", "duration", "ringing", "party",
	"queue_result",
}

// noteOrigin notes where a field was taken from.
func (p *mapping) noteOrigin(field string, g *language.Result) {
	if p.trace == "" {
		return
	}
	o := cdr.Origin{Field: field, Table: g.IsTable(), Where: p.trace + ":" + strconv.Itoa(g.Line())}
	if slices.Contains(wordFields, field) {
		o.Value = strings.Clone(g.Row)
	}
	p.record.Origins = append(p.record.Origins, o)
}

func (p *mapping) text(field string, v *language.Value) string {
	text, _ := read(p, field, v, func(g *language.Result) (string, string) { return strings.Clone(g.Text), "" })
	return text
}

// readWord reads a field with a fixed set of words. problem is the error for another text.
func readWord[T any](
	p *mapping, field string, v *language.Value, words map[string]T, problem string,
) (word T, found bool) {
	return read(p, field, v, func(g *language.Result) (T, string) {
		word, known := words[g.Text]
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

// code is a country's or a currency's code of the given number of letters, in capitals. Any other
// text, such as a number, must not become a label: it counts as unmapped.
func (p *mapping) code(field string, v *language.Value, letters int) string {
	code := strings.ToUpper(p.text(field, v))
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
