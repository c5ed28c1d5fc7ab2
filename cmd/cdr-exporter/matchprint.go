package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/match"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// mostInLetter is how many calls of each class a letter lists.
const mostInLetter = 100

// matchPrinter prints what the comparison of two books came to.
type matchPrinter struct {
	*matchCommand

	result   *match.Result
	redactor *cdr.Redactor
	out      io.Writer
}

// object is the result in JSON. A class has the sums of the left book, and `right` the sums of the
// right one. Calls that only the right book has get the right book's sums.
func (p *matchPrinter) object() map[string]any {
	all := make(map[string]any)
	for class, sides := range p.result.Classes {
		sums, right := sumsObject(sides[0]), sumsObject(sides[1])
		if match.Class(class) == match.OnlyRight {
			sums = maps.Clone(right)
		}
		sums["right"] = right
		all[match.Class(class).String()] = sums
	}
	object := map[string]any{"clock_offset_seconds": seconds(p.result.Offset), "classes": all}
	if t := p.result.Tariff; t != nil {
		object["tariff"] = t.String()
	}
	return object
}

func sumsObject(s match.Sums) map[string]any {
	return map[string]any{"calls": s.Calls, "minutes": json.Number(s.Minutes()), "charges": s.Charges.Texts()}
}

// printSums prints both sides of each class and their difference, right minus left.
func (p *matchPrinter) printSums() error {
	write, flush := rowWriter(p.output, p.out)
	total := p.result.Total()
	money := maps.Clone(total[0].Charges)
	money.AddAll(total[1].Charges)
	columns := []string{"class"}
	for _, what := range append([]string{"calls", "minutes"}, money.Currencies()...) {
		columns = append(columns, what+"_left", what+"_right", what+"_difference")
	}
	_ = write(columns) // it is buffered: what fails, fails when it is flushed
	line := func(name string, sides [2]match.Sums) {
		texts := []string{name}
		all := []match.Sums{sides[0], sides[1], sides[1].Minus(sides[0])}
		for _, s := range all {
			texts = append(texts, strconv.FormatInt(s.Calls, 10))
		}
		for _, s := range all {
			texts = append(texts, s.Minutes())
		}
		for _, currency := range money.Currencies() {
			for _, s := range all {
				texts = append(texts, s.Charges.Text(currency))
			}
		}
		_ = write(texts)
	}
	for class, sides := range p.result.Classes {
		line(match.Class(class).String(), sides)
	}
	if p.output == "table" {
		line("total", total)
	}
	err := flush()
	if p.output == "table" && err == nil {
		_, err = fmt.Fprintf(p.out, "\nThe right clock is %s the left one.%s\n", p.offset(), p.tariffText())
	}
	return err
}

// offset says how the right clock differs.
func (p *matchPrinter) offset() string {
	way := "ahead of"
	if p.result.Offset.Round(time.Millisecond) < 0 {
		way = "behind"
	}
	return strconv.FormatFloat(seconds(p.result.Offset.Abs()), 'f', -1, 64) + " s " + way
}

// seconds are a length in seconds with at most three decimals.
func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}

func (p *matchPrinter) tariffText() string {
	if p.result.Tariff == nil {
		return ""
	}
	return fmt.Sprintf(" The right durations are rounded by %s.", p.result.Tariff)
}

// pairCells are the columns of a call with its partner. A call without one has empty cells.
func (p *matchPrinter) pairCells(left, right *match.Call) (cells []cell) {
	sides := [...]string{"left_", "right_"}
	if p.text {
		sides = [...]string{"our ", "your "}
	}
	one := cmp.Or(left, right)
	r := cdr.Record{CallerNumber: withPlus(one.Caller), CalleeNumber: withPlus(one.Callee), Direction: one.Direction}
	p.redactor.Redact(&r)
	cells = append(cells, cell{"direction", r.Direction})
	if !p.text || p.numbers != "drop" {
		cells = append(cells, cell{"caller", r.CallerNumber}, cell{"callee", r.CalleeNumber})
	}
	for i, c := range [...]*match.Call{left, right} {
		side := sides[i]
		if c == nil {
			c = &match.Call{NoDuration: true}
		}
		cells = append(cells, cell{side + "start", c.Start}, cell{side + "id", c.ID},
			cell{side + "duration", valueIf(!c.NoDuration, c.Duration.Seconds())}, cell{side + "price", c.Price})
	}
	return cells
}

// withPlus writes a number of E.164 with its plus sign.
func withPlus(number string) string {
	const shortest = 8
	if len(number) >= shortest && number[0] >= '1' && number[0] <= '9' && strings.Trim(number, "0123456789*") == "" {
		return "+" + number
	}
	return number
}

// printCalls prints the calls of a class, the first ones first, and returns how many there are.
func (p *matchPrinter) printCalls(list match.List, class match.Class, output string, most int) (n int, err error) {
	printCells, flush := cellPrinter(output, p.out, p.pairCells(new(match.Call), nil))
	err = list.All(class, func(left, right *match.Call) error {
		if n++; n > most {
			return nil
		}
		return printCells(p.pairCells(left, right))
	})
	return n, cmp.Or(err, flush())
}

// letterTexts are what a letter says of the calls of each class.
var letterTexts = map[match.Class]string{
	match.Ambiguous: "Can't be told apart from others between the same numbers", match.OnlyLeft: "Only in our records",
	match.OnlyRight: "Only in your records", match.Rounded: "With durations that your records round up",
	match.Duration: "With different durations", match.Price: "With different prices",
}

// printLetter prints a letter to the carrier, the owner of the right book.
func (p *matchPrinter) printLetter(list match.List) error {
	total := p.result.Total()
	fmt.Fprintf(p.out, "We compared our call records with yours, from %s to %s (times are UTC, by our clock; "+
		"yours is %s ours).%s\n\n",
		moment(p.settings.From), moment(p.settings.To), p.offset(),
		strings.ReplaceAll(p.tariffText(), "The right", "Your"))
	fmt.Fprintf(p.out, "Our records have %s.\nYour records have %s.\n", sumsText(total[0]), sumsText(total[1]))
	_, err := fmt.Fprintf(p.out, "In both, without a difference: %s.\n", sumsText(p.result.Classes[match.Same][0]))
	for class, sides := range p.result.Classes {
		var texts []string
		for i, sums := range sides {
			if sums.Calls > 0 {
				texts = append(texts, [...]string{"ours ", "yours "}[i]+sumsText(sums))
			}
		}
		if err != nil || texts == nil || match.Class(class) == match.Same {
			continue
		}
		fmt.Fprintf(p.out, "\n%s: %s\n", letterTexts[match.Class(class)], strings.Join(texts, "; "))
		var n int
		n, err = p.printCalls(list, match.Class(class), "table", mostInLetter)
		if more := n - mostInLetter; err == nil && more > 0 {
			_, err = fmt.Fprintf(p.out, "and %d more\n", more)
		}
	}
	return err
}

func sumsText(s match.Sums) string {
	texts := []string{strconv.FormatInt(s.Calls, 10) + " calls", s.Minutes() + " minutes"}
	if s.Calls == 1 {
		texts[0] = "1 call"
	}
	for _, currency := range s.Charges.Currencies() {
		texts = append(texts, s.Charges.Text(currency)+" "+currency)
	}
	return strings.Join(texts, ", ")
}
