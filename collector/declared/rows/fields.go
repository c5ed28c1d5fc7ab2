package rows

import (
	"regexp"
	"slices"
	"strings"
)

// fieldsState says how far the values of a text were read.
type fieldsState uint8

const (
	fieldsRead  fieldsState = iota
	fieldsOpen              // a quote has no end yet
	fieldsWrong             // something follows a quote that can't
)

// split are the values of a row. Blanks behind a quoted value may be text too: they aren't if the row then has as many
// values as there are names, and has not otherwise.
func (r *Reader) split(text string) (fields []string, state fieldsState) {
	fits := func(n int) bool {
		return r.Columns == nil || n == len(r.Columns) || slices.Contains(r.layout.Widths, n)
	}
	fields, state = splitFields(text, r.layout, false)
	if state == fieldsRead && r.Columns != nil && fits(len(fields)) {
		return fields, state
	}
	padded, ofPadded := splitFields(text, r.layout, true)
	if ofPadded == fieldsRead && fits(len(padded)) && len(padded) > len(fields) {
		return padded, ofPadded
	}
	return fields, state
}

// splitFields are the values of a row (RFC 4180, but blanks around quotes don't count). Quotes are plain text unless
// the layout has them, and within a value that doesn't begin with one. Within one that does, a quote is text if
// neither a separator nor the end of a line is next to it; padded says that blanks may be between them.
func splitFields(text string, layout *Layout, padded bool) (fields []string, state fieldsState) {
	separator, blanks := layout.Separator, strings.ReplaceAll(" \t", layout.Separator, "")
	if !layout.HasQuotes() {
		return strings.Split(text, separator), fieldsRead
	}
	for {
		value, rest, more := strings.Cut(text, separator)
		if quoted := strings.TrimLeft(text, blanks); strings.HasPrefix(quoted, `"`) {
			isPadded := len(quoted) < len(text)
			end, state := quotedEnd(quoted, separator, "")
			if padded || isPadded || state == fieldsWrong {
				end, state = quotedEnd(quoted, separator, blanks)
			}
			isPlain := isPadded && (state != fieldsRead || hasText(quoted[1:end]))
			switch {
			case isPlain: // such as 1, "Ada" <4101>
			case state != fieldsRead:
				return nil, state
			default:
				value = strings.ReplaceAll(quoted[1:end], `""`, `"`)
				_, rest, more = strings.Cut(quoted[end+1:], separator)
			}
		}
		if fields = append(fields, value); !more {
			return fields, fieldsRead
		}
		text = rest
	}
}

// quotedText is a quoted value.
var quotedText = regexp.MustCompile(`^"(?:[^"]|"")*"`)

// splitAsWritten are the values of a line of which one goes on behind its closing quote, such as "Ada" <4101>.
// That value keeps its quotes. If a quote has no end, it returns nil.
func splitAsWritten(text string, layout *Layout) (fields []string) {
	for {
		quoted := quotedText.FindString(text)
		if quoted == "" && strings.HasPrefix(text, `"`) {
			return nil
		}
		behind, rest, more := strings.Cut(text[len(quoted):], layout.Separator)
		value := quoted + behind
		if quoted != "" && strings.TrimSpace(behind) == "" {
			value = strings.ReplaceAll(quoted[1:len(quoted)-1], `""`, `"`)
		}
		if fields = append(fields, value); !more {
			return fields
		}
		text = rest
	}
}

// hasText says whether quotes within a quoted value are text.
func hasText(quoted string) bool { return strings.Contains(strings.ReplaceAll(quoted, `""`, ""), `"`) }

// quotedEnd is where the quote ends that a text begins with. between may stand between it and a separator.
func quotedEnd(text, separator, between string) (end int, state fieldsState) {
	for at := 1; ; at++ {
		length := strings.IndexByte(text[at:], '"')
		if length < 0 {
			return 0, fieldsOpen
		}
		at += length
		before, behind := text[at-1], text[at+1:]
		lineEnd := strings.TrimLeft(behind, " \t")
		switch {
		case strings.HasPrefix(behind, `"`):
			at++
		case lineEnd == "", lineEnd[0] == '\n', strings.HasPrefix(strings.TrimLeft(behind, between), separator):
			return at, fieldsRead
		case before == separator[0], before == '\n':
			return 0, fieldsWrong
		}
	}
}
