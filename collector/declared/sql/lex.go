package sql

import (
	"iter"
	"regexp"
	"slices"
	"strings"
)

// Tokens yields the tokens of a text of SQL, and where each begins. Blanks are tokens too.
func Tokens(text, driver string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for at := 0; at < len(text); {
			token := text[at:][:tokenLength(text[at:], driver)]
			if !yield(at, token) {
				return
			}
			at += len(token)
		}
	}
}

// bindNames replaces :from, :to, :after and :limit by what place returns for them. It leaves texts, quoted
// names, comments and casts unchanged: they don't contain names of values.
func bindNames(query, driver string, place func(name string) string) string {
	var b strings.Builder
	for _, token := range Tokens(query, driver) {
		name, is := strings.CutPrefix(token, ":")
		if is && slices.Contains([]string{"from", "to", "after", "limit"}, name) {
			token = place(name)
		}
		b.WriteString(token)
	}
	return b.String()
}

var limitIn = regexp.MustCompile(`(?i)^(LIMIT\s+[\d(]|FETCH\s+(FIRST|NEXT)\s)`)

// IsLimited says whether a query has a LIMIT or FETCH FIRST for all of its rows, not only within parentheses.
func IsLimited(query, driver string) bool {
	depth := 0
	for at, token := range Tokens(query, driver) {
		switch {
		case token == "(":
			depth++
		case token == ")":
			depth--
		case depth == 0 && limitIn.MatchString(query[at:]):
			return true
		}
	}
	return false
}

// tokenLength is the length of the token at the start of a statement: a word, a name of a value with
// its colon, a text, a quoted name, a comment, or one character. A token without an end extends to
// the end of the statement.
func tokenLength(s, driver string) int {
	isMySQL, isPostgres := driver == "mysql", driver == driverPostgres
	switch c := s[0]; {
	case strings.HasPrefix(s, "--"), c == '#' && isMySQL:
		return upTo(s, 1, "\n")
	case strings.HasPrefix(s, "/*"):
		return commentLength(s, isPostgres)
	case strings.HasPrefix(s, "::"): // a cast of PostgreSQL
		return 2
	case c == '\'', c == '"':
		return quotedLength(s, isMySQL)
	case c == '`':
		return quotedLength(s, false)
	case c == '[' && driver == "sqlite":
		return upTo(s, 1, "]")
	case c == '$' && isPostgres:
		if word := wordLength(s[1:]); strings.HasPrefix(s[1+word:], "$") {
			return upTo(s, word+2, s[:word+2])
		}
		return 1
	case c == ':':
		return 1 + wordLength(s[1:])
	case isPostgres && len(s) > 1 && (c == 'E' || c == 'e') && s[1] == '\'':
		return 1 + quotedLength(s[1:], true)
	}
	word := 0
	for word < len(s) && (isWord(s[word]) || s[word] == '$') {
		word++
	}
	return max(word, 1)
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func wordLength(s string) (n int) {
	for n < len(s) && isWord(s[n]) {
		n++
	}
	return n
}

// upTo is the length up to and including the first occurrence of a text after a position.
func upTo(s string, from int, end string) int {
	at := strings.Index(s[from:], end)
	if at < 0 {
		return len(s)
	}
	return from + at + len(end)
}

// quotedLength is the length of a quoted text. A doubled quote starts another text, which gives the
// same result.
func quotedLength(s string, backslashes bool) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && backslashes:
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(s)
}

// commentLength is the length of a comment. PostgreSQL allows comments within comments.
func commentLength(s string, nested bool) int {
	depth := 1
	for i := 2; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "*/"):
			if i++; depth == 1 {
				return i + 1
			}
			depth--
		case nested && strings.HasPrefix(s[i:], "/*"):
			depth++
			i++
		}
	}
	return len(s)
}
