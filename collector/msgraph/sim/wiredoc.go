package sim

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// doc is a JSON document that is being written. Each member and element ends with a
// comma, which what encloses it takes away.
type doc struct {
	b []byte
	// bare leaves nulls out, modern writes members of enumerations that only those know
	// who ask for them (Prefer: omit-values=nulls, include-unknown-enum-members).
	bare, modern bool
}

func (d *doc) name(n string) {
	if n != "" {
		d.b = append(append(append(d.b, '"'), n...), `":`...)
	}
}

// object writes an object; an empty name is an element's.
func (d *doc) object(name string, members func()) {
	d.name(name)
	d.b = append(d.b, '{')
	members()
	d.end('}')
}

// list writes a list of n elements.
func (d *doc) list(name string, n int, element func(int)) {
	d.name(name)
	d.b = append(d.b, '[')
	for i := range n {
		element(i)
	}
	d.end(']')
}

func (d *doc) end(bracket byte) {
	if d.b[len(d.b)-1] == ',' {
		d.b = d.b[:len(d.b)-1]
	}
	d.b = append(d.b, bracket, ',')
}

// bytes is the document.
func (d *doc) bytes() []byte {
	if n := len(d.b); n > 0 && d.b[n-1] == ',' {
		return d.b[:n-1]
	}
	return d.b
}

func (d *doc) null(name string) {
	if d.bare && name != "" {
		return
	}
	d.plain(name, "null")
}

// plain writes a value that is JSON already.
func (d *doc) plain(name, value string) {
	d.name(name)
	d.b = append(append(d.b, value...), ',')
}

func (d *doc) text(name, value string) {
	d.name(name)
	d.b = append(appendText(d.b, value), ',')
}

// orNull writes a text, or null for an empty one.
func (d *doc) orNull(name, value string) {
	if value == "" {
		d.null(name)
		return
	}
	d.text(name, value)
}

func (d *doc) whole(name string, n int64) {
	d.name(name)
	d.b = append(strconv.AppendInt(d.b, n, 10), ',')
}

func (d *doc) truth(name string, yes bool) { d.plain(name, strconv.FormatBool(yes)) }

func (d *doc) time(name string, t time.Time, style int) {
	d.name(name)
	d.b = append(appendTime(d.b, t, style), ',')
}

func (d *doc) texts(name string, all []string) {
	d.list(name, len(all), func(i int) { d.text("", all[i]) })
}

// scaled writes a number that is counted in parts of ten to the power of places; one
// that isn't known as null, or in the odd styles not at all.
func (d *doc) scaled(name string, n cdr.Int, places, style int) {
	if !n.Known {
		d.unknown(name, style)
		return
	}
	d.name(name)
	d.b = append(appendScaled(d.b, n.Value, places), ',')
}

// micros writes a duration of so many microseconds as an Edm.Duration.
func (d *doc) micros(name string, n cdr.Int, style int) {
	if !n.Known {
		d.unknown(name, style)
		return
	}
	d.name(name)
	d.b = append(append(appendDurationText(append(d.b, '"'), n.Value, style), '"'), ',')
}

func (d *doc) unknown(name string, style int) {
	if style%2 == 0 {
		d.null(name)
	}
}

// appendText appends a JSON string.
func appendText(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic(err) // a string always has a JSON form
			}
			return append(dst, quoted...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

// appendScaled appends a number of parts of ten to the power of places, without zeros at
// its end.
func appendScaled(dst []byte, n int64, places int) []byte {
	unit := int64(1)
	for range places {
		unit *= 10
	}
	dst = append(strconv.AppendInt(dst, n/unit, 10), '.')
	for n %= unit; n != 0; n = n * 10 % unit {
		dst = append(dst, byte('0'+n*10/unit))
	}
	if dst[len(dst)-1] == '.' {
		return dst[:len(dst)-1]
	}
	return dst
}

// appendDurationText appends a duration of so many microseconds in one of the forms that
// ISO 8601 allows: PT0.016S, PT1M2.5S where it fits, P0DT0H0M0.016S.
func appendDurationText(dst []byte, micros int64, style int) []byte {
	const minute = 60_000_000
	switch {
	case style%8 == 7:
		dst = append(dst, "P0DT0H"...)
		dst = append(strconv.AppendInt(dst, micros/minute, 10), 'M')
		micros %= minute
	case micros >= minute:
		dst = append(dst, "PT"...)
		dst = append(strconv.AppendInt(dst, micros/minute, 10), 'M')
		micros %= minute
	default:
		dst = append(dst, "PT"...)
	}
	return append(appendScaled(dst, micros, 6), 'S')
}
