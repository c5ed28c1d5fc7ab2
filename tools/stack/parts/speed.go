package parts

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/prometheus/common/model"
)

// token is what the files of rules and of Alertmanager are made of, as far as time is concerned: texts and names are matched so that
// numbers in them aren't.
var token = regexp.MustCompile(`"[^"\n]*"|[a-zA-Z_][a-zA-Z0-9_:]*|[0-9]+(?:ms|[smhdw])\b|[0-9]+(?:\.[0-9]+)?`)

// seconds are the numbers in rules that are of seconds: the lengths of windows by which a rate becomes a number of calls, and the
// thresholds of ages.
var seconds = []string{"300", "1800", "3600", "7200", "21600", "86400", "259200", "604800"}

// hasten makes a shipped file fit a place in which time runs so many times faster: ranges, offsets, holds and numbers of seconds are
// shorter by that, all else is as it is shipped.
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
