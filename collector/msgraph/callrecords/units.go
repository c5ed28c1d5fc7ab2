package callrecords

import (
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

var (
	errDuration = errors.New("isn't an ISO 8601 duration")
	isoPattern  = regexp.MustCompile(`^P(?:(\d{1,5})D)?(?:T((?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?))?$`)
)

// parseISO reads an Edm.Duration, to the nanosecond: ISO 8601 with days, hours, minutes and
// seconds, such as PT0.016S or P0DT0H0M1S. It refuses years and months, which have no fixed length,
// signs, and more than a hundred years.
func parseISO(text string) (time.Duration, error) {
	match := isoPattern.FindStringSubmatch(text)
	if match == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
		return 0, errDuration
	}
	days, _ := strconv.Atoi("0" + match[1]) // five digits at most
	clock, err := time.ParseDuration("0s" + strings.ToLower(match[2]))
	sum := time.Duration(days)*24*time.Hour + clock
	const hundredYears = 36525 * 24 * time.Hour
	if err != nil || clock > hundredYears || sum > hundredYears || sum < 0 {
		return 0, errDuration
	}
	return sum, nil
}

// single is an Edm.Single. OData writes NaN and the infinities as strings; they count as not measured.
type single float64

// UnmarshalJSON implements json.Unmarshaler.
func (s *single) UnmarshalJSON(raw []byte) error {
	switch string(raw) {
	case `"NaN"`, `"INF"`, `"-INF"`:
		*s = single(math.NaN())
		return nil
	}
	return json.Unmarshal(raw, (*float64)(s))
}

// share is a part of a whole, from 0 to 1. A value outside that range counts as not measured.
func (s *single) share(whole single) cdr.Float {
	if s == nil || !(*s >= 0 && *s <= whole) {
		return cdr.Float{}
	}
	return cdr.KnownFloat(float64(*s / whole))
}

// rate is a number ≥ 0.
func (s *single) rate() cdr.Float {
	if s == nil || !(*s >= 0) || math.IsInf(float64(*s), 0) {
		return cdr.Float{}
	}
	return cdr.KnownFloat(float64(*s))
}
