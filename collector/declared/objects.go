package declared

import "bytes"

// betweenObjects may stand between objects of JSON that follow each other: blanks, commas, and the
// separator of RFC 7464.
const betweenObjects = " \t\r\n,\x1e"

// objectScan finds where an object of JSON ends, which may be within a line. It goes from piece to
// piece of a text; its zero value is before an object. Anything else than an object ends with its
// line.
type objectScan struct {
	// lines says that an object ends with its line too, whole or not, so that a damaged one costs
	// no other.
	lines           bool
	began, isObject bool
	inText, escaped bool
	depth           int
}

// scan says how many bytes of a piece belong to what was begun, and whether it ends there.
func (s *objectScan) scan(piece []byte) (n int, ends bool) {
	for i, c := range piece {
		switch {
		case c == '\n':
			if s.lines || s.inText || s.depth <= 0 || !s.isObject { // a text of JSON has no line's end
				return i + 1, true
			}
		case s.escaped:
			s.escaped = false
		case s.inText:
			s.inText, s.escaped = c != '"', c == '\\'
		case !s.began && (bytes.IndexByte([]byte(betweenObjects), c) >= 0 || bytes.IndexByte([]byte("\ufeff"), c) >= 0):
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

// documents are the documents of JSON in a text, one after the other. If the first one can't be
// read, neither can the text.
func documents(text []byte) (all []rawRow) {
	for rest := text; len(rest) > 0 && !isJSON(text); {
		n, _ := new(objectScan).scan(rest)
		if raw := bytes.Trim(rest[:n], betweenObjects); len(raw) > 0 {
			all = append(all, rawRow{raw: raw, problem: jsonProblem(raw)})
		}
		rest = rest[n:]
	}
	if len(all) == 0 || all[0].problem != "" {
		return []rawRow{{raw: text, problem: jsonProblem(text)}}
	}
	return all
}
