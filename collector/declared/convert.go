package declared

import (
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// timeForms are the forms of times that have a name: a layout, or a number of units since 1970.
var timeForms = map[string]struct {
	layout string
	unit   time.Duration
}{
	"rfc3339": {layout: time.RFC3339}, "rfc2822": {layout: time.RFC1123Z},
	"unix": {unit: time.Second}, "unix_ms": {unit: time.Millisecond}, "unix_us": {unit: time.Microsecond},
}

// howTimes says what the form of a time may be.
const howTimes = "say how the row writes times: rfc3339, rfc2822, unix, unix_ms, unix_us, or a layout of Go's time package, which is how 2 January 2006, " +
	"15:04:05 would stand there, such as 2006-01-02 15:04:05"

// tellsDay says whether times of a form have their day in them: one that is written is read as the same.
func tellsDay(form string) bool {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at, problem := parseTime(formatTime(noon, form), form, time.UTC)
	return problem == "" && at.Truncate(24*time.Hour).Equal(noon.Truncate(24*time.Hour))
}

func formatTime(at time.Time, form string) string {
	named, is := timeForms[form]
	switch {
	case named.unit > 0:
		return strconv.FormatInt(at.UnixNano()/int64(named.unit), 10)
	case is:
		return at.Format(named.layout)
	}
	return at.Format(form)
}

// parseTime reads a time as a row writes it; a zero of Unix time is none, and so is MySQL's zero date. zone is for times that carry none.
func parseTime(text, form string, zone *time.Location) (at time.Time, problem string) {
	named, is := timeForms[form]
	var err error
	switch {
	case named.unit > 0:
		return parseUnix(text, named.unit)
	case strings.HasPrefix(text, "0000-00-00"):
		return time.Time{}, ""
	case is:
		at, err = time.Parse(named.layout, text)
	default:
		at, err = time.ParseInLocation(form, text, zone)
	}
	if err != nil && form == "rfc2822" { // most are written as the layout says, and mail.ParseDate is slow
		at, err = mail.ParseDate(text)
	}
	switch {
	case err != nil:
		return time.Time{}, "is no time of the form " + form
	case at.Year() <= 1:
		return time.Time{}, ""
	}
	return at.UTC(), ""
}

// parseUnix reads a number of units since 1970, with or without a fraction.
func parseUnix(text string, unit time.Duration) (at time.Time, problem string) {
	const wrong = "is no Unix time"
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 || n > int64(1<<62)/int64(unit) {
		return at, wrong
	}
	rest, ok := fractionOf(fraction, unit)
	switch {
	case !ok:
		return at, wrong
	case n == 0 && rest == 0:
		return at, ""
	}
	perSecond := int64(time.Second / unit)
	return time.Unix(n/perSecond, n%perSecond*int64(unit)+int64(rest)).UTC(), ""
}

// fractionOf is the part of a unit that digits behind the point say; what is finer than a nanosecond is cut off.
func fractionOf(digits string, unit time.Duration) (part time.Duration, ok bool) {
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
		unit /= 10
		part += time.Duration(c-'0') * unit
	}
	return part, true
}

var isoDuration = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d+))?S)?)?$`)

// parseDuration reads a duration of a unit exactly.
func parseDuration(text, unit string) (d time.Duration, problem string) {
	switch unit {
	case "iso8601":
		parts := isoDuration.FindStringSubmatch(text)
		if parts == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
			return 0, "is no duration of ISO 8601"
		}
		return sumOf(parts[1:5], parts[5], 24*time.Hour, time.Hour, time.Minute, time.Second)
	case "hms":
		parts := strings.Split(text, ":")
		if len(parts) != 3 && len(parts) != 2 {
			return 0, "is no duration of the form h:mm:ss"
		}
		units := []time.Duration{time.Hour, time.Minute, time.Second}[3-len(parts):]
		seconds, fraction, _ := strings.Cut(parts[len(parts)-1], ".")
		parts[len(parts)-1] = seconds
		return sumOf(parts, fraction, units...)
	case "ms":
		return decimal(text, time.Millisecond)
	case "min":
		return decimal(text, time.Minute)
	}
	return decimal(text, time.Second)
}

func decimal(text string, unit time.Duration) (time.Duration, string) {
	whole, fraction, _ := strings.Cut(text, ".")
	return sumOf([]string{whole}, fraction, unit)
}

// sumOf adds whole numbers of units, empty ones are 0, and a fraction of the last unit.
func sumOf(numbers []string, fraction string, units ...time.Duration) (sum time.Duration, problem string) {
	for i, text := range numbers {
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, "is no number"
		}
		d, problem := cdr.Duration(n, units[i])
		if problem != "" {
			return 0, problem
		}
		sum += d
	}
	part, ok := fractionOf(fraction, units[len(units)-1])
	if !ok {
		return 0, "is no number"
	}
	if sum += part; sum > cdr.LongestCall {
		return 0, "is longer than 31 days"
	}
	return sum, ""
}
