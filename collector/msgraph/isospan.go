package msgraph

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// isoSpan is an Edm.Duration as Graph sends it: ISO 8601 with days, hours, minutes and
// seconds, such as PT0.016S or P0DT0H0M1S. It is read when it is needed, for text that is
// none is no fault of the record.
type isoSpan string

var errSpan = errors.New("is no ISO 8601 duration")

// spanUnits are the parts of a duration in the order in which they may stand.
var spanUnits = []struct {
	letter byte
	clock  bool // after the T
	worth  time.Duration
}{
	{'D', false, 24 * time.Hour},
	{'H', true, time.Hour},
	{'M', true, time.Minute},
	{'S', true, time.Second},
}

// longestSpan is a hundred years.
const longestSpan = 36525 * 24 * time.Hour

// parseSpan reads a duration, to the nanosecond. Years and months, which have no fixed
// length, and anything above a hundred years are refused.
func parseSpan(text string) (time.Duration, error) {
	rest, negative := strings.CutPrefix(text, "-")
	rest, found := strings.CutPrefix(rest, "P")
	if !found {
		return 0, errSpan
	}
	var sum time.Duration
	parts, clock, at := 0, false, 0
	for rest != "" {
		if rest[0] == 'T' {
			if clock || len(rest) == 1 {
				return 0, errSpan
			}
			clock, rest = true, rest[1:]
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if end <= 0 {
			return 0, errSpan
		}
		for at < len(spanUnits) && (spanUnits[at].letter != rest[end] || spanUnits[at].clock != clock) {
			at++
		}
		if at == len(spanUnits) {
			return 0, errSpan
		}
		worth := spanUnits[at].worth
		value, err := spanPart(rest[:end], worth)
		if err != nil {
			return 0, err
		}
		if sum += value; sum > longestSpan {
			return 0, errSpan
		}
		parts++
		at++
		rest = rest[end+1:]
	}
	if parts == 0 {
		return 0, errSpan
	}
	if negative {
		sum = -sum
	}
	return sum, nil
}

// spanPart is one part's length. Only seconds may have a fraction.
func spanPart(digits string, worth time.Duration) (time.Duration, error) {
	whole, fraction, has := strings.Cut(digits, ".")
	if has && (worth != time.Second || fraction == "") || len(whole) > 10 {
		return 0, errSpan
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > int64(longestSpan/worth) {
		return 0, errSpan
	}
	value := time.Duration(n) * worth
	if has {
		// Digits past the ninth are below a nanosecond.
		nanos, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
		if err != nil || strings.ContainsFunc(fraction, func(r rune) bool { return r < '0' || r > '9' }) {
			return 0, errSpan
		}
		value += time.Duration(nanos)
	}
	return value, nil
}

// span is a duration that may be null; one below zero is as good as none. Text that is no
// duration is an error.
func (s *isoSpan) span() (cdr.Span, error) {
	if s == nil || *s == "" {
		return cdr.Span{}, nil
	}
	span, err := parseSpan(string(*s))
	if err != nil || span < 0 {
		return cdr.Span{}, err
	}
	return cdr.KnownSpan(span), nil
}
