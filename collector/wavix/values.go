package wavix

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// maxSeconds bounds a duration: a 32-bit number (CDR.duration is int32).
const maxSeconds = 1<<31 - 1

// text reads a string.
func (f *fields) text(p property) string {
	switch c := &f.cells[p]; c.kind {
	case textCell, plainCell:
		return c.text
	case numberCell:
		f.fail(p, "is a number, must be a string")
	case otherCell:
		f.fail(p, "is "+c.text+", must be a string")
	case noCell:
	}
	return ""
}

// id reads an id. Ids are compared by their bytes, so one that had to be repaired could
// be taken for another.
func (f *fields) id(p property) string {
	if f.cells[p].repaired {
		f.fail(p, "is not UTF-8")
		return ""
	}
	return f.text(p)
}

// anyID is what stands in the place of an id, whatever its type; empty if nothing does.
func (f *fields) anyID() string {
	for _, p := range [...]property{pCallID, pUUID} {
		if c := &f.cells[p]; c.kind == textCell || c.kind == plainCell || c.kind == numberCell {
			return c.text
		}
	}
	return ""
}

// sorted is a row's content without the order of its members.
func (f *fields) sorted(row []byte) []byte {
	if !f.isObject {
		return row
	}
	var all [][]byte
	wire.Members(row, func(name, value []byte) { all = append(all, slices.Concat(name, value)) })
	slices.SortFunc(all, bytes.Compare)
	return bytes.Join(all, []byte{','})
}

// party reads a phone number, which may be a string or a number.
func (f *fields) party(p property) string {
	switch c := &f.cells[p]; c.kind {
	case textCell, plainCell:
		return withoutPlus(c.text)
	case numberCell:
		if text, ok := wholeNumber(c.text); ok {
			return text
		}
		f.fail(p, "is a number with a sign or a fraction")
	case otherCell:
		f.fail(p, "is "+c.text+", must be a string or a number")
	case noCell:
	}
	return ""
}

// withoutPlus is a number in digits, as Wavix writes most: the same number with a plus,
// which other generations of the API write, is no change of the call.
func withoutPlus(number string) string {
	if digits, found := strings.CutPrefix(number, "+"); found && isDigits(digits) {
		return digits
	}
	return number
}

// wholeNumber is a JSON number in digits: 12212123123 must not become 1.2212123123e+10,
// nor stay so if somebody wrote it so.
func wholeNumber(raw string) (string, bool) {
	if !isDigits(raw) {
		m, err := cdr.ParseMoney(raw) // any exact decimal
		if err != nil {
			return "", false
		}
		raw = m.String()
	}
	return raw, isDigits(raw)
}

func isDigits(s string) bool {
	for _, c := range []byte(s) {
		if !isDigit(c) {
			return false
		}
	}
	return s != ""
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// money reads an amount, which may be a string or a number, and says whether it was
// given.
func (f *fields) money(p property) (amount cdr.Money, given bool) {
	switch c := &f.cells[p]; c.kind {
	case textCell, plainCell, numberCell:
		amount, err := cdr.ParseMoney(c.text)
		if err != nil {
			f.fail(p, "is "+err.Error()) // says what it must be
			return cdr.Money{}, false
		}
		return amount, true
	case otherCell:
		f.fail(p, "is "+c.text+", must be a string or a number")
	case noCell:
	}
	return cdr.Money{}, false
}

// seconds reads a duration, and says whether it was given.
func (f *fields) seconds(p property) (d time.Duration, given bool) {
	c := &f.cells[p]
	switch c.kind {
	case noCell:
		return 0, false
	case textCell:
		f.fail(p, "is a string, must be a number")
		return 0, false
	case otherCell:
		f.fail(p, "is "+c.text+", must be a number")
		return 0, false
	case numberCell, plainCell:
	}
	n, err := strconv.ParseInt(c.text, 10, 64)
	switch {
	case err != nil || n > maxSeconds:
		f.fail(p, "is not a 32-bit whole number")
	case n < 0:
		f.fail(p, "is negative")
	default:
		return time.Duration(n) * time.Second, true
	}
	return 0, false
}

// plainTimes are how CSV exports may write a time, beside RFC 3339: nothing documents
// it. A time without a zone isn't among them, since it could be any account's.
var plainTimes = [...]string{"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700"}

// start reads the start of the call, which a row must have, in UTC.
func (f *fields) start(p property) time.Time {
	text := f.text(p)
	if text == "" {
		f.fail(p, "is missing")
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text) // takes fractions of any length
	if err != nil && f.cells[p].kind == plainCell {
		at, err = plainTime(text)
	}
	switch {
	case err != nil:
		f.fail(p, "is not a date and time")
	case at.Year() <= 1:
		f.fail(p, "is missing")
	default:
		return at.UTC()
	}
	return time.Time{}
}

func plainTime(text string) (at time.Time, err error) {
	if text, isUTC := strings.CutSuffix(text, " UTC"); isUTC {
		return time.Parse(plainTimes[0], text+"Z")
	}
	for _, layout := range plainTimes {
		if at, err = time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, err
}
