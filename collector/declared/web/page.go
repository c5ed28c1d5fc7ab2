package web

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// answerPage is one page of an answer.
type answerPage struct {
	rows []rows.Row
	row  language.Row // the page itself, for paths outside the rows
	// total is the provider's own count for the request; -1 if it has none.
	total int
	// noList says that the answer has no list where the rows should be.
	noList bool
	// names are those that the first line of CSV has.
	names []string
}

// readPage reads a page. Rows of JSON are at a path, or are the body itself.
func (l *List) readPage(body []byte) (p answerPage, err error) {
	body = bytes.TrimLeft(body, "\xef\xbb\xbf \t\r\n") // the end stays: it shows whether the last line is complete
	p.total = -1
	switch {
	case len(body) == 0 && l.Format == rows.FormatJSON:
		return p, wire.ErrCut
	case len(body) > 0 && body[0] == '<':
		return p, wire.ErrHTML
	case l.Format == rows.FormatJSONLines:
		return p, p.readObjects(body)
	case l.Format == rows.FormatCSV:
		return p, p.readCSV(l, body)
	}
	return p, p.readJSON(l, bytes.TrimSpace(body))
}

// readJSON reads a page of JSON. A row that can't be read is set aside; the others are read.
func (p *answerPage) readJSON(l *List, body []byte) error {
	found, rest, isArray, err := wire.NewInput().RowsAt(body, l.Rows)
	if err != nil {
		return err
	}
	p.row.SetJSON(rest)
	for _, at := range []language.Path{language.Path(l.Rows), l.Next.URL, l.Next.Token, l.Next.Has, l.Total} {
		if wire.NamesTwice(rest, at) {
			return fmt.Errorf("the answer has two members on the way to %s; either could be the right one",
				strings.Join(at, "."))
		}
	}
	if p.total, err = p.count(l.Total); err != nil {
		return &advice.Error{
			What: "the answer's total at " + strings.Join(l.Total, ".") + " isn't a whole number", Todo: checkPaths,
		}
	}
	if !isArray {
		if len(l.Rows) > 0 && p.total == 0 {
			if _, is := language.TextOf(p.row.Raw(language.Path(l.Rows))); is == language.Missing {
				return nil // null may mean none, but errors have it too, so the total decides
			}
		}
		p.noList = true
		where := "isn't a list"
		if len(l.Rows) > 0 {
			where = "has no list at " + strings.Join(l.Rows, ".")
		}
		return &advice.Error{
			What: "the answer " + where + ", so it isn't a page of calls",
			Todo: "nothing, if it passes: the exporter asks again; otherwise " + checkPaths,
		}
	}
	for _, raw := range found {
		row := rows.Row{Raw: wire.Checked(raw)}
		if bytes.HasPrefix(row.Raw, []byte(wire.Unreadable)) {
			row.Problem = "it isn't valid JSON, or is too long"
		}
		if err := p.add(row); err != nil {
			return err
		}
	}
	return nil
}

// JSONRows are the rows of a page of JSON.
func (l *List) JSONRows(body []byte) ([]rows.Row, error) {
	var p answerPage
	err := p.readJSON(l, body)
	return p.rows, err
}

// readCSV reads rows of CSV. The answer was cut if its last line has no end, and has fewer values than any other or a
// quote that isn't closed.
func (p *answerPage) readCSV(l *List, body []byte) error {
	if text := rows.Trimmed(body); len(text) > 0 && (text[0] == '{' || text[0] == '[') && rows.IsJSON(text) {
		p.noList = true // an error with status 200
		return &advice.Error{
			What: "the answer is JSON, not CSV",
			Todo: "nothing, if it passes: the exporter asks again; otherwise check path, query and headers of the " +
				"definition's request against an answer that you requested by hand",
		}
	}
	in := rows.Of(body, &rows.Layout{Format: rows.FormatCSV, Columns: l.Columns, Separator: rows.Comma})
	if err := in.ReadNames(); err != nil {
		return wire.ErrCut
	}
	if l.Columns == nil {
		p.names = in.Columns
	}
	least, short := math.MaxInt, false
	for row, err := range in.All() {
		if err != nil {
			return wire.ErrCut
		}
		if err := p.add(row.Row); err != nil {
			return err
		}
		least = min(least, len(in.Columns))
		short = row.Fields != nil && len(row.Fields) < least
		if short {
			least = len(row.Fields)
		}
	}
	if (short || in.Unclosed) && !bytes.HasSuffix(body, []byte("\n")) {
		return wire.ErrCut
	}
	return nil
}

// readObjects reads JSON objects, one after the other. If the last one can't be read and has no
// line end, the answer was cut.
func (p *answerPage) readObjects(body []byte) error {
	for row, err := range rows.Of(body, &rows.Layout{Format: rows.FormatJSONLines}).All() {
		switch {
		case err != nil:
			return err
		case row.Problem != "" && row.Bare == int64(len(body)):
			return wire.ErrCut
		}
		if err := p.add(row.Row); err != nil {
			return err
		}
	}
	return nil
}

func (p *answerPage) add(r rows.Row) error {
	if len(p.rows) == wire.MaxRows {
		return fmt.Errorf("%w: over %d", wire.ErrTooManyRows, wire.MaxRows)
	}
	p.rows = append(p.rows, r)
	return nil
}

// text is a text of the page outside its rows.
func (p *answerPage) text(at language.Path) string {
	if at == nil {
		return ""
	}
	text, _ := p.row.Text(at)
	return text
}

// checkPaths is the remedy for an answer whose members don't match the definition.
const checkPaths = "check the paths of rows, next and total in the definition " +
	"against an answer that you requested by hand"

// next is the text at the path of the next page's address or token, which may be a number. An empty
// text means the last page. there says whether the page has the path at all.
func (p *answerPage) next(at language.Path, isToken bool) (next string, there bool, err error) {
	raw := p.row.Raw(at)
	switch {
	case raw == nil:
		return "", false, nil
	case raw[0] == 'f': // as PHP writes no value
		return "", true, nil
	case raw[0] == '"' || raw[0] == 'n' || isToken && strings.IndexByte(wire.NumberStarts, raw[0]) >= 0:
		next, _ = language.TextOf(raw)
		if bare := strings.TrimSpace(next); bare == "" || !isToken {
			return bare, true, nil // blanks are a missing value, as everywhere
		}
		return next, true, nil // a token is sent back as it is
	}
	return "", true, &advice.Error{
		What: "the answer has " + wire.TypeOf(raw[0]) + " at " + strings.Join(at, ".") +
			", where the next page's address or token must be",
		Todo: checkPaths,
	}
}

// has says whether the page has something at a path other than null, false, 0 and empty text.
func (p *answerPage) has(at language.Path) bool {
	raw := p.row.Raw(at)
	return raw != nil && (raw[0] == '{' || raw[0] == '[' || saysSomething(raw))
}

// hasParent says whether the page has the object in which a path ends.
func (p *answerPage) hasParent(of language.Path) bool {
	if len(of) < 2 {
		return p.row.Raw(of) != nil
	}
	raw := p.row.Raw(of[:len(of)-1])
	return raw != nil && raw[0] == '{'
}

// nextNames are names that APIs use for the next page, in lower-case letters and digits.
var nextNames = regexp.MustCompile(
	`^(odata)?next(page)?(link|url|uri|href|cursor|token|continuationtoken)?$|^has(more|next|nextpage)$`)

// announcesNext says whether a member of the page, at any depth outside its rows, announces a next
// page.
func (p *answerPage) announcesNext() bool {
	return slices.ContainsFunc(p.row.Members, func(m language.Member) bool { return announcesNext(m.Name, m.Value) })
}

func announcesNext(name string, value []byte) (yes bool) {
	if nextNames.MatchString(strings.NewReplacer("_", "", "-", "", "@", "", ".", "").Replace(strings.ToLower(name))) {
		return saysSomething(value)
	}
	if value[0] == '{' {
		wire.Members(value, func(name, value []byte) { yes = yes || announcesNext(wire.TextOf(name), value) })
	}
	return yes
}

// saysSomething says whether a value is neither null, false, 0 nor empty.
func saysSomething(value []byte) (yes bool) {
	if value[0] == '{' {
		wire.Members(value, func(_, value []byte) { yes = yes || saysSomething(value) })
		return yes
	}
	text, is := language.TextOf(value)
	return is == language.Single && !strings.EqualFold(text, "false") && text != "0"
}

// count is an integer of the page; -1 if it has none.
func (p *answerPage) count(at language.Path) (int, error) {
	if at == nil {
		return -1, nil
	}
	text, is := p.row.Text(at)
	if is == language.Missing {
		return -1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return -1, errors.New("isn't a whole number")
	}
	return n, nil
}
