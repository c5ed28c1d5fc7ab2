package wavix

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// row is a call detail record as any generation and format writes it: its values by their folded names. They are kept as they came, so that a
// value of an unexpected type spoils its row and not the page, and amounts of money stay exact.
type row map[string]cell

// cell is one value of a row.
type cell struct {
	kind jsontext.Kind
	text string // of a string its content, of a number its digits as they came
}

// The kinds of a cell beside those of JSON.
const (
	noValue  = jsontext.KindInvalid // absent, null or empty
	csvValue = jsontext.Kind('c')   // a field of a CSV row: text or a number
)

// folded is the name of a member or a column without what its spellings differ in.
func folded(name string) string { return separators.Replace(strings.ToLower(name)) }

var separators = strings.NewReplacer("_", "", "-", "", " ", "")

// decodeRow reads a JSON row, which is valid, or says what is wrong with it as a whole.
func decodeRow(raw []byte) (r row, problem string) {
	if raw[0] != '{' {
		return nil, "it is no object"
	}
	r = row{}
	wire.Members(raw, func(name, value []byte) {
		text, _ := jsontext.AppendUnquote(nil, name)
		key := folded(string(text))
		if _, twice := r[key]; twice {
			problem = "a member is given twice" // there is no right one of two values
		}
		r[key] = jsonCell(value)
	})
	return r, problem
}

func jsonCell(raw jsontext.Value) cell {
	switch kind := raw.Kind(); kind {
	case '"':
		if text, _ := jsontext.AppendUnquote(nil, raw); len(text) > 0 { // what isn't UTF-8 is replaced
			return cell{kind: kind, text: string(text)}
		}
	case 'n':
	default:
		return cell{kind: kind, text: string(raw)}
	}
	return cell{}
}

// setCSV gives the row a field of a CSV row.
func (r row) setCSV(column, text string) {
	if text = strings.ToValidUTF8(strings.TrimSpace(text), string(utf8.RuneError)); text != "" {
		r[column] = cell{kind: csvValue, text: text}
	}
}

// values reads a row's cells as the types that the provider documents, and keeps the first problem, which holds nothing of the value.
type values struct {
	row   row
	first string
}

func (v *values) cell(name string) cell { return v.row[folded(name)] }

func (v *values) add(name, problem string) {
	if v.first == "" {
		v.first = name + " " + problem
	}
}

// unexpected notes a value of another type than the provider documents.
func (v *values) unexpected(name, wanted string) {
	if c := v.cell(name); c.kind != noValue {
		v.add(name, "is "+wire.TypeOf(byte(c.kind))+", must be "+wanted)
	}
}

// text reads a string.
func (v *values) text(name string) string {
	if c := v.cell(name); c.kind == '"' || c.kind == csvValue {
		return c.text
	}
	v.unexpected(name, "a string")
	return ""
}

// id reads an id. Ids are compared by their bytes, so one that had to be repaired could be taken for another.
func (v *values) id(name string) string {
	if strings.ContainsRune(v.cell(name).text, utf8.RuneError) {
		v.add(name, "is not UTF-8")
		return ""
	}
	return v.text(name)
}

// party reads a phone number, a string or a number, in digits as Wavix writes most: the same number with a plus, which other generations of
// the API write, is no change of the call. 12212123123 must not become 1.2212123123e+10.
func (v *values) party(name string) string {
	switch c := v.cell(name); c.kind {
	case '"', csvValue:
		if digits, found := strings.CutPrefix(c.text, "+"); found && isDigits(digits) {
			return digits
		}
		return c.text
	case '0':
		text := c.text
		if exact, err := cdr.ParseMoney(text); err == nil && !isDigits(text) {
			text = exact.String() // 1e3 is 1000
		}
		if isDigits(text) {
			return text
		}
		v.add(name, "is a number with a sign or a fraction")
	default:
		v.unexpected(name, "a string or a number")
	}
	return ""
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// money reads an amount, a string or a number, and says whether it was given.
func (v *values) money(name string) (amount cdr.Money, given bool) {
	switch c := v.cell(name); c.kind {
	case '"', csvValue, '0':
		amount, err := cdr.ParseMoney(c.text)
		if err == nil {
			return amount, true
		}
		v.add(name, "is "+err.Error()) // says what it must be
	default:
		v.unexpected(name, "a string or a number")
	}
	return cdr.Money{}, false
}

// seconds reads a duration, and says whether it was given.
func (v *values) seconds(name string) (d time.Duration, given bool) {
	c := v.cell(name)
	if c.kind != '0' && c.kind != csvValue {
		v.unexpected(name, "a number")
		return 0, false
	}
	n, err := strconv.ParseInt(c.text, 10, 32) // CDR.duration is int32
	switch {
	case err != nil:
		v.add(name, "is not a 32-bit whole number")
	case n < 0:
		v.add(name, "is negative")
	default:
		return time.Duration(n) * time.Second, true
	}
	return 0, false
}

// csvTimes are how CSV exports may write a time beside RFC 3339, which nothing documents. A time without a zone isn't among them, since it
// could be any account's.
var csvTimes = [...]string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 UTC"}

// start reads the start of the call, which a row must have, in UTC.
func (v *values) start(name string) time.Time {
	text := v.text(name)
	if text == "" {
		v.add(name, "is missing")
		return time.Time{}
	}
	layouts := csvTimes[:]
	if v.cell(name).kind != csvValue {
		layouts = layouts[:1]
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 1 { // the year 1 stands for no time
			return at.UTC()
		}
	}
	v.add(name, "is not a date and time")
	return time.Time{}
}
