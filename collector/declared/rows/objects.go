package rows

import (
	"bytes"
	"iter"
	"slices"
)

// betweenObjects may stand between JSON objects that follow each other: blanks, commas, the
// separator of RFC 7464, and NULs that a crash left.
const betweenObjects = " \t\r\n,\x1e\x00"

// betweenLines may stand between the objects of lines, which may be an array.
const betweenLines = betweenObjects + "[]"

// objectScan finds the end of a JSON object, which may be within a line. It scans a text piece by
// piece; its zero value is before an object. Anything other than an object ends with its line.
type objectScan struct {
	// lines says that an object also ends with its line, complete or not, so that a damaged object
	// doesn't spoil another.
	lines           bool
	began, isObject bool
	inText, escaped bool
	depth           int
}

// scan returns how many bytes of a piece belong to the current object, and whether it ends there.
func (s *objectScan) scan(piece []byte) (n int, ends bool) {
	for i, c := range piece {
		switch {
		case c == '\n':
			if s.lines || s.inText || s.depth <= 0 || !s.isObject { // a JSON text has no line ends
				return i + 1, true
			}
		case s.escaped:
			s.escaped = false
		case s.inText:
			s.inText, s.escaped = c != '"', c == '\\'
		case !s.began && (bytes.IndexByte([]byte(betweenObjects), c) >= 0 || bytes.IndexByte([]byte("\ufeff"), c) >= 0):
		case !s.began && s.lines && (c == '[' || c == ']'):
		case c == '"':
			s.began, s.inText = true, true
		case c == '{', c == '[':
			s.isObject = s.isObject || !s.began && c == '{'
			s.began = true
			s.depth++
		case c == '}', c == ']':
			s.began = true
			if s.depth--; s.isObject && s.depth <= 0 {
				return i + 1, true
			}
		default:
			s.began = true
		}
	}
	return len(piece), false
}

// Documents are the JSON documents in a text, one after the other. If the first one can't be read,
// neither can the text, unless it has a record in each line. Then a damaged record ends with its line.
func Documents(text []byte) []Row { return slices.Collect(EachDocument(text)) }

// EachDocument yields the documents of Documents one by one.
func EachDocument(text []byte) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		if IsJSON(text) {
			yield(Row{Raw: text})
			return
		}
		some, lines, byLine := false, haveObjects(text), false
		for rest := text; len(rest) > 0; {
			n, ends := (&objectScan{lines: byLine}).scan(rest)
			row := Row{Raw: bytes.Trim(withoutMark(bytes.TrimLeft(rest[:n], betweenObjects)), betweenObjects)}
			row.Problem = problemOf(row.Raw)
			if lines && !byLine && (!ends || row.Problem != "" && bytes.IndexByte(row.Raw, '\n') >= 0) {
				byLine = true // an object lacks its end, which may have been in its line
				continue
			}
			if len(row.Raw) > 0 {
				if !some && !lines && row.Problem != "" {
					break
				}
				if some = true; !yield(row) {
					return
				}
			}
			rest = rest[n:]
		}
		if !some {
			yield(Row{Raw: text, Problem: problemOf(text)})
		}
	}
}

// haveObjects says whether a text has a record in each line: it isn't a list, and a line that isn't indented is a whole
// object.
func haveObjects(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = withoutMark(bytes.TrimLeft(line, "\x1e\x00"))
		if text[0] != '[' && bytes.HasPrefix(line, []byte("{")) && IsJSON(line) {
			return true
		}
	}
	return false
}
