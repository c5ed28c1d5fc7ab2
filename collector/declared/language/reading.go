package language

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Reading is the result of reading a value of a row as a T.
type Reading[T any] struct {
	Value    T
	Found    bool
	From     *Result // what gave the value
	Unmapped string  // a text that a table lacks
	Wrong    string  // the problem of a form
	Text     string  // that has this form
}

// Read tries the alternatives of a value until one gives something. parse reads it, and returns
// the problem of its form, noValue, or an empty string.
func Read[T any](r *Row, v *Value, parse func(*Result) (value T, problem string)) (result Reading[T]) {
	for i := range v.alternatives {
		g, asked, problem := v.alternatives[i].get(r)
		if problem == "" && g.by != nil {
			var value T
			switch value, problem = parse(&g); problem {
			case "":
				return Reading[T]{Value: value, Found: true, From: &g}
			case NoValue:
				continue
			}
		}
		if result.Unmapped = cmp.Or(result.Unmapped, asked); result.Wrong == "" {
			result.Wrong, result.Text = problem, g.Text
		}
	}
	return result
}

// IsTable says whether a table gave the text.
func (g *Result) IsTable() bool { return g.by.Table != nil || g.by.codes != nil }

// Line is the line of the definition.
func (g *Result) Line() int { return g.by.line }

// Privacy is the class of the text.
func (g *Result) Privacy() cdr.Privacy { return privacyClasses[g.by.Privacy] }

// Time is a time, or one before it; a Unix time of zero counts as absent.
func (g *Result) Time() (at time.Time, problem string) {
	if at, problem = g.parseTime(g.Text); problem == "" && at.IsZero() {
		problem = NoValue
	}
	if problem != "" {
		return at, problem
	}
	return g.minus(at)
}

// minus subtracts the length that the value names, if it names one.
func (g *Result) minus(at time.Time) (began time.Time, problem string) {
	if g.by.Minus == nil {
		return at, ""
	}
	text, is := g.in.Text(g.by.Minus)
	if is != Single {
		return at, NoValue
	}
	length, problem := ParseDuration(text, g.by.Unit)
	return at.Add(-length), problem
}

func (g *Result) parseTime(text string) (at time.Time, problem string) {
	return g.by.parseTimeIn(text, g.by.zone(g.in.Zone), g.in.Now)
}

// Version is an integer, or a time, where a later time is a greater version.
func (g *Result) Version() (version int64, problem string) {
	if len(g.by.Time) > 0 {
		at, problem := g.parseTime(g.Text)
		if problem == "" && at.IsZero() {
			return 0, NoValue
		}
		return at.UnixMicro(), problem
	}
	if n, is := Integer(g.Text, 64); is {
		return n, ""
	}
	if at, is := comparedTime(g.Text, g.in.Zone); is {
		return at.UnixMicro(), ""
	}
	return 0, "is neither a whole number nor a time"
}

// Length is a number of units, or the time from another value of the row to this one; a negative or
// missing one counts as absent.
func (g *Result) Length() (d time.Duration, problem string) {
	if g.by.Since == nil {
		return ParseDuration(g.Text, g.by.Unit)
	}
	text, is := g.in.Text(g.by.Since)
	if is != Single {
		return 0, NoValue
	}
	from, problem := g.parseTime(text)
	if problem != "" {
		return 0, problem
	}
	to, problem := g.parseTime(g.Text)
	both := [...]Moment{{from, g.other(text, from)}, {to, g.other(g.Text, to)}}
	InOrder(both[:])
	from, to = both[0].At, both[1].At
	switch d = to.Sub(from); {
	case problem != "":
		return 0, problem
	case from.IsZero() || to.IsZero() || d < 0:
		return 0, NoValue
	case d > cdr.LongestCall:
		return 0, "is longer than 31 days"
	}
	return d, ""
}

// Wait is a length of time; a negative number counts as absent.
func (g *Result) Wait() (wait time.Duration, problem string) {
	text, negative := strings.CutPrefix(g.Text, "-")
	if g.by.Since != nil || !negative {
		return g.Length()
	}
	if _, problem = ParseDuration(text, g.by.Unit); problem == "" {
		problem = NoValue
	}
	return 0, problem
}

// Measured is a length of time that a system measured. A number that can't be one, such as -1 or 4294967295 for
// unknown, counts as absent.
func (g *Result) Measured() (length time.Duration, problem string) {
	length, problem = g.Wait()
	if problem != "" && (number.MatchString(g.Text) || notANumber.MatchString(g.Text)) {
		problem = NoValue
	}
	return length, problem
}

// Outcome is a word, or what a table of codes or words says.
func (g *Result) Outcome() (result Ending, problem string) {
	if result = g.Ending; !g.IsTable() {
		var known bool
		if result.Outcome, known = OutcomeWords[strings.ToLower(g.Text)]; !known {
			return result, "isn't a word for an outcome, and no table translates it"
		}
	}
	result.None = strings.EqualFold(g.Text, NoOutcome)
	return result, ""
}

// Amount is an amount of money.
func (g *Result) Amount() (amount cdr.Money, problem string) {
	amount, err := cdr.ParseMoney(g.Text)
	switch {
	case err != nil && strings.Trim(g.Text, "0123456789.+-eE") != "":
		return amount, "isn't a plain decimal number such as -1234.56: take what else it has out, with match or with " +
			`replace(cost, ",", ".") in an expr`
	case err != nil:
		return amount, "is " + err.Error()
	}
	if g.by.Negate {
		amount = amount.Neg()
	}
	return amount, ""
}

// Share is a share. A value outside 0 to 1 counts as absent.
func (g *Result) Share() (share float64, problem string) {
	share, problem = parseFloat(g.Text)
	if g.by.Unit == percent {
		share /= 100
	}
	if problem == "" && (share < 0 || share > 1) {
		problem = NoValue
	}
	return share, problem
}

// Score is a mean opinion score. A value outside 1 to 5 counts as absent.
func (g *Result) Score() (score float64, problem string) {
	score, problem = parseFloat(g.Text)
	if problem == "" && (score < 1 || score > 5) {
		problem = NoValue
	}
	return score, problem
}

// notANumber is what programs print for a division by 0; it counts as absent.
var notANumber = regexp.MustCompile(`(?i)^[+-]?(nan|inf|infinity)$`)

func parseFloat(text string) (n float64, problem string) {
	if notANumber.MatchString(text) {
		return 0, NoValue
	}
	if !number.MatchString(text) {
		return 0, "isn't a number"
	}
	n, _ = strconv.ParseFloat(text, 64) // infinite if it is out of range
	return n, ""
}
