package wavix

import (
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// row is a call detail record as any generation and format writes it. A cell keeps its value as it came, so that a value of an unexpected type
// spoils its row and not the page, and amounts of money stay exact.
type row struct {
	Date         cell `json:"date"`
	From         cell `json:"from"`
	To           cell `json:"to"`
	Disposition  cell `json:"disposition"`
	Duration     cell `json:"duration"`
	Destination  cell `json:"destination"`
	PerMinute    cell `json:"per_minute"`
	Charge       cell `json:"charge"`
	Trunk        cell `json:"sip_trunk"`
	ForwardFee   cell `json:"forward_fee"`
	UUID         cell `json:"uuid"`
	CallID       cell `json:"call_id"`
	ParentUUID   cell `json:"parent_uuid"`
	ParentCallID cell `json:"parent_call_id"`
	AnsweredBy   cell `json:"answered_by"`
}

// The kinds of a cell beside those of JSON.
const (
	noValue    = jsontext.KindInvalid // absent, null or empty
	csvValue   = jsontext.Kind('c')   // a field of a CSV row: text or a number
	givenTwice = jsontext.Kind('2')   // there is no right one of two values
)

// cell is one value of a row.
type cell struct {
	kind  jsontext.Kind
	text  string // of a string its content, of a number its digits as they came
	given bool
}

// UnmarshalJSON implements json.Unmarshaler. It takes any value.
func (c *cell) UnmarshalJSON(raw []byte) error {
	value := jsontext.Value(raw)
	switch kind := value.Kind(); {
	case c.given:
		c.kind = givenTwice
	case kind == '"':
		text, _ := jsontext.AppendUnquote(nil, raw) // what isn't UTF-8 is replaced
		if len(text) > 0 {
			c.kind, c.text = kind, string(text)
		}
	case kind != 'n':
		c.kind, c.text = kind, string(raw)
	}
	c.given = true
	return nil
}

// columns maps the names of a row's cells to their fields.
var columns = func() map[string]int {
	index := map[string]int{}
	for i := range reflect.TypeFor[row]().NumField() {
		index[reflect.TypeFor[row]().Field(i).Tag.Get("json")] = i
	}
	return index
}()

// setCSV fills a row's cell with a field of a CSV row.
func (r *row) setCSV(field int, text string) {
	if text = strings.ToValidUTF8(strings.TrimSpace(text), string(utf8.RuneError)); text != "" {
		c, _ := reflect.TypeAssert[*cell](reflect.ValueOf(r).Elem().Field(field).Addr())
		*c = cell{kind: csvValue, text: text}
	}
}

// problems reads cells as the types that the provider documents, and keeps the first problem, which holds nothing of the value.
type problems struct{ first string }

func (p *problems) add(name, problem string) {
	if p.first == "" {
		p.first = name + " " + problem
	}
}

// unexpected notes a value of another type than the provider documents.
func (p *problems) unexpected(c *cell, name, wanted string) {
	switch c.kind {
	case noValue:
	case givenTwice:
		p.add(name, "is given twice")
	default:
		p.add(name, "is "+wire.TypeOf(byte(c.kind))+", must be "+wanted)
	}
}

// text reads a string.
func (p *problems) text(c *cell, name string) string {
	if c.kind == '"' || c.kind == csvValue {
		return c.text
	}
	p.unexpected(c, name, "a string")
	return ""
}

// id reads an id. Ids are compared by their bytes, so one that had to be repaired could be taken for another.
func (p *problems) id(c *cell, name string) string {
	if strings.ContainsRune(c.text, utf8.RuneError) {
		p.add(name, "is not UTF-8")
		return ""
	}
	return p.text(c, name)
}

// party reads a phone number, a string or a number, in digits as Wavix writes most: the same number with a plus, which other generations of
// the API write, is no change of the call. 12212123123 must not become 1.2212123123e+10.
func (p *problems) party(c *cell, name string) string {
	switch c.kind {
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
		p.add(name, "is a number with a sign or a fraction")
	default:
		p.unexpected(c, name, "a string or a number")
	}
	return ""
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// money reads an amount, a string or a number, and says whether it was given.
func (p *problems) money(c *cell, name string) (amount cdr.Money, given bool) {
	switch c.kind {
	case '"', csvValue, '0':
		amount, err := cdr.ParseMoney(c.text)
		if err == nil {
			return amount, true
		}
		p.add(name, "is "+err.Error()) // says what it must be
	default:
		p.unexpected(c, name, "a string or a number")
	}
	return cdr.Money{}, false
}

// seconds reads a duration, and says whether it was given.
func (p *problems) seconds(c *cell, name string) (d time.Duration, given bool) {
	if c.kind != '0' && c.kind != csvValue {
		p.unexpected(c, name, "a number")
		return 0, false
	}
	n, err := strconv.ParseInt(c.text, 10, 32) // CDR.duration is int32
	switch {
	case err != nil:
		p.add(name, "is not a 32-bit whole number")
	case n < 0:
		p.add(name, "is negative")
	default:
		return time.Duration(n) * time.Second, true
	}
	return 0, false
}

// csvTimes are how CSV exports may write a time beside RFC 3339, which nothing documents. A time without a zone isn't among them, since it
// could be any account's.
var csvTimes = [...]string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 UTC"}

// start reads the start of the call, which a row must have, in UTC.
func (p *problems) start(c *cell, name string) time.Time {
	text := p.text(c, name)
	if text == "" {
		p.add(name, "is missing")
		return time.Time{}
	}
	layouts := csvTimes[:]
	if c.kind != csvValue {
		layouts = layouts[:1]
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 1 {
			return at.UTC()
		} else if err == nil {
			p.add(name, "is missing")
			return time.Time{}
		}
	}
	p.add(name, "is not a date and time")
	return time.Time{}
}
