package wavix

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// values are the values of a call detail record, by names in any spelling, in every generation and
// format. They stay as they were written, so that a value of an unexpected type spoils its row and
// not the page, and amounts of money stay exact.
type values struct{ wire.Fields }

func newValues() *values { return &values{wire.Fields{Fold: folded}} }

// folded is the name of a member or a column in a form that is the same for all spellings.
func folded(name string) string { return separators.Replace(strings.ToLower(name)) }

var separators = strings.NewReplacer("_", "", "-", "", " ", "")

// parse reads a row, which must be valid JSON.
func (v *values) parse(raw []byte) {
	if raw[0] == '{' {
		v.Parse(raw)
		return
	}
	v.Clear()
	v.Problem = "it isn't an object"
}

// csvTimes are the time formats that CSV exports may use in addition to RFC 3339. They aren't
// documented. A format without a zone isn't among them, because any account's zone could apply.
var csvTimes = [...]string{"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 UTC"}

// setCSV adds a field of a CSV row, in JSON's form.
func (v *values) setCSV(column, text string) {
	text = strings.TrimSpace(text)
	switch {
	case column == "", text == "":
		return
	case column == "duration":
		if n, err := strconv.Atoi(text); err == nil {
			v.Set(column, strconv.AppendInt(nil, int64(n), 10))
			return
		}
	case column == "date":
		for _, layout := range csvTimes {
			if at, err := time.Parse(layout, text); err == nil {
				text = at.Format(time.RFC3339Nano)
			}
		}
	}
	quoted, _ := jsontext.AppendQuote(nil, text) // replaces invalid UTF-8
	v.Set(column, quoted)
}

// textOrNumber reads a string, or the digits of a number.
func (v *values) textOrNumber(name string) (text string, isNumber bool) {
	raw := v.Raw(name, `"`+wire.NumberStarts, "a string or a number")
	if raw == nil || raw[0] == '"' {
		return v.Text(name), false
	}
	return string(raw), true
}

// party reads a phone number, a string or a number, as digits, the form that Wavix mostly uses.
// Other generations of the API write the same number with a plus, which isn't a change of the call.
// 12212123123 must not become 1.2212123123e+10.
func (v *values) party(name string) string {
	text, isNumber := v.textOrNumber(name)
	if !isNumber {
		if digits, found := strings.CutPrefix(text, "+"); found && isDigits(digits) {
			return digits
		}
		return text
	}
	if exact, err := cdr.ParseMoney(text); err == nil && !isDigits(text) {
		text = exact.String() // 1e3 is 1000
	}
	if !isDigits(text) {
		v.Fail(name, "is a number with a sign or a fraction")
		return ""
	}
	return text
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// money reads an amount, a string or a number, and says whether it is there.
func (v *values) money(name string) (amount cdr.Money, given bool) {
	text, _ := v.textOrNumber(name)
	return v.ParseMoney(name, text)
}
