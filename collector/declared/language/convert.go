package language

import (
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// timeForms are the named forms of times: a layout, or a number of units since 1970.
var timeForms = map[string]struct {
	layout string
	unit   time.Duration
}{
	"rfc3339": {layout: time.RFC3339}, "rfc2822": {layout: time.RFC1123Z},
	"unix": {unit: time.Second}, "unix_ms": {unit: time.Millisecond}, "unix_us": {unit: time.Microsecond},
}

// HowTimes explains the forms of times.
const HowTimes = "set the row's form of times: rfc3339, rfc2822, unix, unix_ms, unix_us, or a layout of Go's " +
	"time package, which writes 2 January 2006, 15:04:05 in that form, such as 2006-01-02 15:04:05"

// tellsDay says whether times of a form include the day: then writing and reading one gives the
// same time.
func tellsDay(form string) bool {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at, problem := ParseTime(FormatTime(noon, form), form, time.UTC)
	return problem == "" && at.Truncate(24*time.Hour).Equal(noon.Truncate(24*time.Hour))
}

// HidesHalf says whether a form has an hour of 12 without AM or PM, which Go reads as one of the morning.
func HidesHalf(form string) bool {
	at := func(hour int) string { return FormatTime(time.Date(2026, 11, 23, hour, 0, 0, 0, time.UTC), form) }
	return at(1) == at(13) && at(1) != at(2)
}

// HalfOfDay is what to do about a form that hides the half of the day.
const HalfOfDay = "has an hour of 12 without AM or PM; write 15 for an hour of 24, or add PM"

// Layouts write 7 and 9 only in zones and fractions of a second, and 8 nowhere.
var (
	strayDigit = regexp.MustCompile(`[789]`)
	withDigits = regexp.MustCompile(`[.,]9+|07`)
)

// StrayDigit is a digit of a form that doesn't belong to a time, as in iso8601; empty: there is none.
func StrayDigit(form string) string {
	if _, named := timeForms[form]; named {
		return ""
	}
	return strayDigit.FindString(withDigits.ReplaceAllLiteralString(form, ""))
}

var (
	// offsetOut matches what a layout writes out as an offset from UTC, at any place.
	offsetOut = regexp.MustCompile(`(?:UTC|GMT) ?[+-]\d\d?(?::?\d\d)?`)
	// zoneOut matches what a layout writes out behind the time of day in place of a zone.
	zoneOut = regexp.MustCompile(`0[45](?:[.,]0+|[.,]9+)?(?: ?PM| ?pm)? *\(?` +
		`([+-]\d\d(?::?\d\d\b|$)|(?:[A-Z]{2,4}T|MSK)\b)`)
)

// ForeignZone is a zone that a form writes out, unless it is UTC by name; empty: none. In +0100, Go takes
// the 01 for a month, and in CET all letters for text.
func ForeignZone(form string) string {
	if offsetIn.MatchString(form) {
		return ""
	}
	if offset := offsetOut.FindString(form); offset != "" {
		return offset
	}
	found := zoneOut.FindStringSubmatch(form)
	if found == nil || found[1] == "GMT" || found[1] == "MST" {
		return ""
	}
	return found[1]
}

// HowZones is what to do about a zone that a form writes out.
const HowZones = "in place of a zone; write -0700 for an offset, MST for a zone's name, or cut it off with match and " +
	"give zone"

// namesUTC says whether a layout writes the name of UTC out.
func namesUTC(form string) bool {
	return (strings.Contains(form, "UTC") || strings.Contains(form, "GMT")) && !offsetIn.MatchString(form)
}

// saysUTC says whether times of a layout are in UTC, because it writes a Z or its name out.
func saysUTC(form string) bool { return strings.HasSuffix(form, "Z") || namesUTC(form) }

// FormatTime is a time in a form.
func FormatTime(at time.Time, form string) string {
	named, is := timeForms[form]
	switch {
	case named.unit > 0:
		return strconv.FormatInt(at.UnixNano()/int64(named.unit), 10)
	case is:
		return at.Format(named.layout)
	case saysUTC(form):
		at = at.UTC()
	}
	return at.Format(form)
}

// ParseTime reads a time as a row writes it. A Unix time of zero counts as absent, and so does
// MySQL's zero date. zone applies to times without one.
func ParseTime(text, form string, zone *time.Location) (at time.Time, problem string) {
	named, is := timeForms[form]
	var err error
	switch {
	case named.unit > 0:
		return parseUnix(text, named.unit)
	case strings.HasPrefix(text, "0000-00-00"):
		return time.Time{}, ""
	case form == "rfc3339":
		at, err = parseRFC3339(text)
	case is:
		at, err = time.Parse(named.layout, text)
	default:
		at, problem, err = parseLayout(text, form, zone)
	}
	if err != nil && form == "rfc2822" { // most match the layout, and mail.ParseDate is slow
		at, problem, err = parseMail(text, zone)
	}
	switch {
	case err != nil:
		return time.Time{}, noTimeOf + form
	case problem != "":
		return time.Time{}, problem
	case at.Year() <= 1:
		return time.Time{}, ""
	}
	return at.UTC(), ""
}

// rfc3339s are the layouts of RFC 3339, of an offset without a colon or without minutes, and of a
// whole minute without its seconds, as Java writes it.
var rfc3339s = []string{
	time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700", "2006-01-02T15:04Z07",
}

// parseRFC3339 reads a time of RFC 3339. The T and the Z may be small letters, and some write a
// blank in place of the T. The name of a zone may follow in brackets (RFC 9557), as Java writes it: the offset counts.
func parseRFC3339(text string) (at time.Time, err error) {
	if begin := strings.IndexByte(text, '['); begin > 0 && text[len(text)-1] == ']' {
		text = text[:begin]
	}
	text = strings.Replace(strings.ToUpper(text), " ", "T", 1)
	for _, layout := range rfc3339s {
		if at, err = time.Parse(layout, text); err == nil {
			break
		}
	}
	return at, err
}

const (
	noTimeOf    = "isn't a time of the form "
	unknownZone = "has the name of a time zone that neither zone nor time_zone explains"
)

var (
	offsetIn     = regexp.MustCompile(`Z07|-07`)
	halfIn       = regexp.MustCompile(`PM|pm`) // the half of the day in a layout
	halfOf       = regexp.MustCompile(`(?i)[ap]\.?m\b\.?`)
	namedInMail  = regexp.MustCompile(`[A-Z]{3,}\s*(\(.*\))?$`)
	mailsOfNames = []string{time.RFC1123, "2 Jan 2006 15:04:05 MST"}
)

// parseLayout reads a time by a layout. It accepts the name of a zone if the zone has it, if it is
// an offset such as +03, or if it is UTC or GMT. Go takes any other name for UTC, and would be
// hours off.
func parseLayout(text, layout string, zone *time.Location) (at time.Time, problem string, err error) {
	layout = withoutFraction(layout)
	switch {
	case strings.HasSuffix(layout, "Z"):
		layout += "07:00" // Go takes a Z alone for a letter, and the time for one of the zone
	case saysUTC(layout):
		zone = time.UTC
	}
	at, err = time.ParseInLocation(layout, text, zone)
	if half := halfIn.FindString(layout); err != nil && half != "" {
		at, err = time.ParseInLocation(strings.Replace(layout, half, "PM", 1), withHalf(text), zone)
	}
	if err != nil || !strings.Contains(layout, "MST") || offsetIn.MatchString(layout) {
		return at, "", err
	}
	switch name, _ := at.Zone(); {
	case name == "UTC", strings.HasPrefix(name, "GMT"), at.Location() == zone:
		return at, "", nil
	case name[0] == '+' || name[0] == '-':
		at, err = time.ParseInLocation(strings.Replace(layout, "MST", "-07", 1), text, zone)
		return at, "", err
	}
	return at, unknownZone, nil
}

// withoutFraction is a layout without its fraction of a second. Go reads any fraction by it, and
// none, which Python writes for a whole second.
func withoutFraction(layout string) string {
	for _, point := range [...]string{"05.0", "05,0"} {
		if before, after, found := strings.Cut(layout, point); found {
			return before + "05" + strings.TrimLeft(after, "0")
		}
	}
	return layout
}

// withHalf is a time whose half of the day is written as AM or PM. Some write pm, p.m., or another blank before it.
func withHalf(text string) string {
	text = strings.NewReplacer("\u202f", " ", "\u00a0", " ").Replace(text)
	return halfOf.ReplaceAllStringFunc(text, func(half string) string { return strings.ToUpper(half[:1]) + "M" })
}

// parseMail reads an RFC 2822 time with the name of a zone, without the day of the week, or with a
// comment.
func parseMail(text string, zone *time.Location) (at time.Time, problem string, err error) {
	if !namedInMail.MatchString(text) {
		at, err = mail.ParseDate(text)
		return at, "", err
	}
	text, _, _ = strings.Cut(text, "(")
	for _, layout := range mailsOfNames {
		if at, problem, err = parseLayout(strings.TrimSpace(text), layout, zone); err == nil {
			break
		}
	}
	return at, problem, err
}

// ahead is how far a clock may be ahead of ours before we take its row for one of the year before.
const ahead = time.Hour

// hasYear says whether times of a form include the year. Both times have the same day of the week.
func hasYear(form string) bool {
	at := func(year int) string { return FormatTime(time.Date(year, 11, 23, 12, 0, 0, 0, time.UTC), form) }
	return at(2026) != at(2015)
}

// inferYear reads a time without a year: the newest that isn't in the future. The previous 29
// February may be eight years back.
func inferYear(text, form string, zone *time.Location, now time.Time) (at time.Time, problem string) {
	newest := now.Add(ahead)
	last := newest.In(zone).Year()
	for year := last; year >= last-8; year-- {
		at, problem = ParseTime(strconv.Itoa(year)+" "+text, "2006 "+form, zone)
		if problem == unknownZone || problem == "" && !at.After(newest) {
			return at, problem
		}
	}
	return time.Time{}, noTimeOf + form
}

// zone is the zone of times that have none; otherwise is the source's.
func (a *alternative) zone(otherwise *time.Location) *time.Location {
	if a.Zone != nil {
		return a.Zone.Location
	}
	return otherwise
}

// parseTimeIn reads a time in the first of its forms that matches.
func (a *alternative) parseTimeIn(
	text string, zone *time.Location, now func() time.Time,
) (at time.Time, problem string) {
	for _, form := range a.Time {
		var one string
		if a.Year != "" && !hasYear(form) {
			at, one = inferYear(text, form, zone, now())
		} else {
			at, one = ParseTime(text, form, zone)
		}
		if one == "" {
			return at, ""
		}
		if problem != unknownZone {
			problem = one
		}
	}
	if len(a.Time) > 1 && problem != unknownZone {
		problem = noTimeOf + strings.Join(a.Time, " or ")
	}
	return time.Time{}, problem
}

// Integer reads a whole number of the given bits. A column of floats writes 486 as 486.0.
func Integer(text string, bits int) (n int64, is bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, bits)
	return n, err == nil && strings.Trim(fraction, "0") == ""
}

// parseUnix reads a number of units since 1970, with or without a fraction.
func parseUnix(text string, unit time.Duration) (at time.Time, problem string) {
	const wrong = "isn't a Unix time"
	whole, fraction, _ := strings.Cut(withoutExponent(text), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	switch {
	case err != nil || n < 0:
		return at, wrong
	case n > int64(1<<62)/int64(unit):
		return at, "is too large for a Unix time in this unit: unix_ms reads milliseconds, unix_us microseconds"
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

// fractionOf is the part of a unit in the digits after the point. Digits beyond a nanosecond are
// cut off.
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

// isoDuration is a duration of ISO 8601. Java's XML writes all its parts: P0Y0M0DT0H1M5.000S.
var isoDuration = regexp.MustCompile(
	`^P(?:0+Y)?(?:0+M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d+))?S)?)?$`)

// ParseDuration reads a duration of a unit exactly.
func ParseDuration(text, unit string) (d time.Duration, problem string) {
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		if d, problem = ParseDuration(rest, unit); d > 0 {
			return 0, "is negative"
		}
		return d, problem
	}
	switch unit {
	case "iso8601":
		parts := isoDuration.FindStringSubmatch(text)
		if parts == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
			return 0, "isn't an ISO 8601 duration"
		}
		return sumOf(parts[1:5], parts[5], 24*time.Hour, time.Hour, time.Minute, time.Second)
	case "hms":
		return parseClock(text)
	case "ms":
		return decimal(text, time.Millisecond, "milliseconds")
	case "min":
		return decimal(text, time.Minute, "minutes")
	}
	return decimal(text, time.Second, "seconds")
}

// daysBefore is how .NET (1.02:03:04), PostgreSQL (1 day 02:03:04) and Python (1 day, 2:03:04) write a duration of
// a day or more.
var daysBefore = regexp.MustCompile(`^(\d+)(?:\.| days?,? )(\d+:\d+:.*)$`)

// quotedSeconds is how Panasonic writes minutes and seconds: 00:01'05.
var quotedSeconds = regexp.MustCompile(`^((?:\d+:)?\d+)'(\d\d)"?$`)

// lettered is how Go (1h2m3.5s), JavaScript libraries (1h 2m 3s) and reports for people (1 min 5 sec) write a duration.
var lettered = regexp.MustCompile(
	`(?i)^(?:(\d+) ?h(?:rs?)?,? ?)?(?:(\d+) ?m(?:in)?,? ?)?(?:(\d+)(?:\.(\d+))? ?s(?:ec)?)?$`)

// parseClock reads a duration of the form h:mm:ss, m:ss or :ss, which may have days before the hours, or with letters.
func parseClock(text string) (d time.Duration, problem string) {
	if parts := lettered.FindStringSubmatch(text); parts != nil && text != "" {
		return sumOf(parts[1:4], parts[4], time.Hour, time.Minute, time.Second)
	}
	days := ""
	if strings.HasSuffix(text, " day") || strings.HasSuffix(text, " days") {
		text += " 0:00:00" // PostgreSQL leaves a clock of zero out
	}
	if parts := daysBefore.FindStringSubmatch(text); parts != nil {
		days, text = parts[1], parts[2]
	}
	parts := strings.Split(quotedSeconds.ReplaceAllString(text, "$1:$2"), ":")
	if len(parts) != 3 && len(parts) != 2 {
		return 0, "isn't a duration of the form h:mm:ss"
	}
	units := []time.Duration{time.Hour, time.Minute, time.Second}[3-len(parts):]
	seconds, fraction, _ := strings.Cut(strings.Replace(parts[len(parts)-1], ",", ".", 1), ".")
	if seconds+fraction == "" {
		return 0, "isn't a duration of the form h:mm:ss"
	}
	parts[len(parts)-1] = seconds
	return sumOf(append([]string{days}, parts...), fraction, append([]time.Duration{24 * time.Hour}, units...)...)
}

func decimal(text string, unit time.Duration, name string) (d time.Duration, problem string) {
	whole, fraction, _ := strings.Cut(withoutExponent(text), ".")
	if problem = noNumber; whole+fraction != "" {
		d, problem = sumOf([]string{whole}, fraction, unit)
	}
	if problem == noNumber {
		problem += " of " + name
	}
	return d, problem
}

const noNumber = "isn't a number"

// sumOf adds integers of units (empty ones are 0) and a fraction of the last unit.
func sumOf(numbers []string, fraction string, units ...time.Duration) (sum time.Duration, problem string) {
	for i, text := range numbers {
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, noNumber
		}
		d, problem := cdr.Duration(n, units[i])
		if problem != "" {
			return 0, problem
		}
		sum += d
	}
	part, ok := fractionOf(fraction, units[len(units)-1])
	if !ok {
		return 0, noNumber
	}
	if sum += part; sum > cdr.LongestCall {
		return 0, "is longer than 31 days"
	}
	return sum, ""
}
