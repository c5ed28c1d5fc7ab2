package language

import (
	"cmp"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// bound is a number or a time to compare with.
type bound struct {
	less, equal bool // < and <=; equal also for >=
	number      string
	time        string // empty: a number
}

var (
	// compares matches a pattern with a comparison. Some systems write <unknown> for a caller.
	compares = regexp.MustCompile(`^(>|<[^>]*$)`)
	boundIn  = regexp.MustCompile(`^\s*([<>])(=?)\s*([^<>=\s]+)`)
	number   = regexp.MustCompile(`^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$`)
)

// comparedTimes are the forms of times in comparisons. Seconds may have a fraction.
var comparedTimes = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05-07",
	"2006-01-02 15:04:05", "2006-01-02",
}

var errBound = errors.New(`must compare with a number or a time, such as ">0", ">=400 <500" or ">=2026-01-01"`)

func parseBounds(text string) (all []bound, err error) {
	for text != "" {
		found := boundIn.FindStringSubmatch(text)
		if found == nil {
			return nil, errBound
		}
		b := bound{less: found[1] == "<", equal: found[2] != ""}
		if number.MatchString(found[3]) {
			b.number = found[3]
		} else if _, is := comparedTime(found[3], time.UTC); is {
			b.time = found[3]
		} else {
			return nil, errBound
		}
		all, text = append(all, b), strings.TrimSpace(text[len(found[0]):])
	}
	return all, nil
}

// comparedTime parses a time in one of these forms, or in another one that rfc3339 reads.
func comparedTime(text string, zone *time.Location) (at time.Time, is bool) {
	for _, layout := range comparedTimes {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at, at.Year() > 0
		}
	}
	at, err := parseRFC3339(text)
	return at, err == nil && at.Year() > 0
}

// holds says whether a value is in the bound. A value of another kind isn't.
func (b *bound) holds(text string, zone *time.Location) bool {
	order, is := 0, false
	if b.time == "" {
		order, is = compareNumbers(text, b.number)
	} else if at, isTime := comparedTime(text, zone); isTime {
		with, _ := comparedTime(b.time, zone)
		order, is = at.Compare(with), true
	}
	switch {
	case !is:
		return false
	case order == 0:
		return b.equal
	}
	return order < 0 == b.less
}

// applies says whether a value is of the bound's kind.
func (b *bound) applies(text string, zone *time.Location) (is bool) {
	if b.time == "" {
		_, is = compareNumbers(text, b.number)
	} else {
		_, is = comparedTime(text, zone)
	}
	return is
}

// compareNumbers compares integers exactly, other numbers as floats.
func compareNumbers(text, with string) (order int, is bool) {
	a, err := strconv.ParseInt(text, 10, 64)
	b, noInt := strconv.ParseInt(with, 10, 64)
	if err == nil && noInt == nil {
		return cmp.Compare(a, b), true
	}
	if !number.MatchString(text) {
		return 0, false
	}
	x, _ := strconv.ParseFloat(text, 64) // infinite if it is out of range
	y, _ := strconv.ParseFloat(with, 64)
	return cmp.Compare(x, y), true
}
