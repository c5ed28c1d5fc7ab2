package parts

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/prometheus/common/model"
)

// token matches the tokens of the files of rules and of Alertmanager that matter for time. It
// matches texts and names too, so that numbers in them aren't changed.
var token = regexp.MustCompile(`"[^"\n]*"|[a-zA-Z_][a-zA-Z0-9_:]*|[0-9]+(?:ms|[smhdw])\b|[0-9]+(?:\.[0-9]+)?`)

// seconds are the numbers of seconds in rules: the lengths of windows by which a rate becomes a
// number of calls, and the thresholds of ages.
var seconds = []string{"300", "1800", "3600", "7200", "21600", "86400", "259200", "604800"}

// hasten adapts a shipped file to a place in which time runs faster by a factor: ranges, offsets,
// holds and numbers of seconds are divided by it, everything else stays.
func hasten(text string, speed int) string {
	return token.ReplaceAllStringFunc(text, func(t string) string {
		if d, err := model.ParseDuration(t); err == nil && d != 0 {
			return (d / model.Duration(speed)).String()
		}
		if slices.Contains(seconds, t) {
			n, _ := strconv.ParseFloat(t, 64) // these are whole numbers
			return strconv.FormatFloat(n/float64(speed), 'f', -1, 64)
		}
		return t
	})
}
