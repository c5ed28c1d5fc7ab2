package declared

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// reading is the result of reading a value of a row as a T.
type reading[T any] struct {
	value    T
	found    bool
	from     *given // what gave the value
	unmapped string // a text that a table lacks
	wrong    string // the problem of a form
}

// readValue tries the alternatives of a value until one gives something. parse reads it, and returns
// the problem of its form, noValue, or an empty string.
func readValue[T any](r *row, v *Value, parse func(*given) (value T, problem string)) (result reading[T]) {
	for i := range v.alternatives {
		g, asked, problem := v.alternatives[i].get(r)
		if problem == "" && g.by != nil {
			var value T
			switch value, problem = parse(&g); problem {
			case "":
				return reading[T]{value: value, found: true, from: &g}
			case noValue:
				continue
			}
		}
		result.unmapped, result.wrong = cmp.Or(result.unmapped, asked), cmp.Or(result.wrong, problem)
	}
	return result
}

// isTable says whether a table gave the text.
func (g *given) isTable() bool { return g.by.Table != nil || g.by.codes != nil }

// line is the line of the definition.
func (g *given) line() int { return g.by.line }

// privacy is the class of the text.
func (g *given) privacy() cdr.Privacy { return privacyClasses[g.by.Privacy] }

// time is a time, or one before it; a Unix time of zero counts as absent.
func (g *given) time() (at time.Time, problem string) {
	if at, problem = g.parseTime(g.text); problem == "" && at.IsZero() {
		problem = noValue
	}
	if problem != "" || g.by.Minus == nil {
		return at, problem
	}
	text, is := g.in.text(g.by.Minus)
	if is != single {
		return at, noValue
	}
	length, problem := parseDuration(text, g.by.Unit)
	return at.Add(-length), problem
}

func (g *given) parseTime(text string) (at time.Time, problem string) {
	return g.by.parseTime(text, g.in.zone, g.in.now)
}

// version is an integer, or a time, where a later time is a greater version.
func (g *given) version() (version int64, problem string) {
	if len(g.by.Time) > 0 {
		at, problem := g.parseTime(g.text)
		if problem == "" && at.IsZero() {
			return 0, noValue
		}
		return at.UnixMicro(), problem
	}
	if n, err := strconv.ParseInt(g.text, 10, 64); err == nil {
		return n, ""
	}
	if at, is := comparedTime(g.text, g.in.zone); is {
		return at.UnixMicro(), ""
	}
	return 0, "is neither a whole number nor a time"
}

// length is a number of units, or the time from another value of the row to this one; a negative or
// missing one counts as absent.
func (g *given) length() (d time.Duration, problem string) {
	if g.by.Since == nil {
		return parseDuration(g.text, g.by.Unit)
	}
	text, is := g.in.text(g.by.Since)
	if is != single {
		return 0, noValue
	}
	from, problem := g.parseTime(text)
	if problem != "" {
		return 0, problem
	}
	to, problem := g.parseTime(g.text)
	switch d = to.Sub(from); {
	case problem != "":
		return 0, problem
	case from.IsZero() || to.IsZero() || d < 0:
		return 0, noValue
	case d > cdr.LongestCall:
		return 0, "is longer than 31 days"
	}
	return d, ""
}

// wait is a length of time; a negative number counts as absent.
func (g *given) wait() (wait time.Duration, problem string) {
	text, negative := strings.CutPrefix(g.text, "-")
	if g.by.Since != nil || !negative {
		return g.length()
	}
	if _, problem = parseDuration(text, g.by.Unit); problem == "" {
		problem = noValue
	}
	return 0, problem
}

// outcome is a word, or what a table of codes or words says.
func (g *given) outcome() (result cause, problem string) {
	if result = g.cause; !g.isTable() {
		var known bool
		if result.outcome, known = outcomeWords[g.text]; !known {
			return result, "isn't a word for an outcome, and no table translates it"
		}
	}
	result.none = g.text == noOutcome
	return result, ""
}

// amount is an amount of money.
func (g *given) amount() (amount cdr.Money, problem string) {
	amount, err := cdr.ParseMoney(g.text)
	if err != nil {
		return amount, "is " + err.Error()
	}
	if g.by.Negate {
		amount = amount.Neg()
	}
	return amount, ""
}

// share is a share. A value outside 0 to 1 counts as absent.
func (g *given) share() (share float64, problem string) {
	share, problem = parseFloat(g.text)
	if g.by.Unit == percent {
		share /= 100
	}
	if problem == "" && (share < 0 || share > 1) {
		problem = noValue
	}
	return share, problem
}

// score is a mean opinion score. A value outside 1 to 5 counts as absent.
func (g *given) score() (score float64, problem string) {
	score, problem = parseFloat(g.text)
	if problem == "" && (score < 1 || score > 5) {
		problem = noValue
	}
	return score, problem
}

func parseFloat(text string) (n float64, problem string) {
	if !number.MatchString(text) {
		return 0, "isn't a number"
	}
	n, _ = strconv.ParseFloat(text, 64) // infinite if it is out of range
	return n, ""
}
