package laws

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
)

// savedAnswer is an answer of tests.
type savedAnswer struct {
	declared.TestAnswer

	kind answerKind
	url  *url.URL // of its request
	body any      // of JSON; nil: it is something else
}

// answerKind is what the request of an answer asks for.
type answerKind int

const (
	ofRows answerKind = iota
	ofToken
	ofNames
	ofTotals
)

// readAnswers reads the answers of tests. It learns from them names for ids, and how the provider writes a page that
// another one follows, and a last page.
func (b *bench) readAnswers() {
	b.names = make(map[string]map[string]string)
	for _, t := range b.tests.Answers {
		if t.Feed != b.name && t.Feed != "" {
			continue
		}
		a := savedAnswer{TestAnswer: t}
		_, address, _ := strings.Cut(t.Request, " ")
		var err error
		if a.url, err = url.Parse(address); err != nil {
			a.url = new(url.URL)
		}
		if decode(string(t.Body), &a.body) != nil {
			a.body = nil
		}
		name, list := b.nameList(a.url.Path)
		_, isTotals := b.isTotals(a.url)
		switch {
		case list != nil:
			a.kind = ofNames
			b.learnNames(name, list, a.body)
		case b.isTokenURL(b.asked(a.url)):
			a.kind = ofToken
		case isTotals:
			a.kind = ofTotals
		default:
			b.learnPage(&a)
		}
		b.answers = append(b.answers, a)
	}
}

// nameList is the feed's list of names at a path; nil: there is another list.
func (b *bench) nameList(path string) (name string, list *web.NameList) {
	for name, l := range b.feed.Names {
		if b.absolute(language.Expand(l.Request.FirstPath(), b.values)) == b.absolute(path) {
			return name, l
		}
	}
	return "", nil
}

// learnNames takes the names for ids from an answer.
func (b *bench) learnNames(name string, list *web.NameList, body any) {
	if b.names[name] == nil {
		b.names[name] = make(map[string]string)
	}
	found, _ := valueAt(body, list.Rows)
	elements, _ := found.([]any)
	for _, element := range elements {
		list.AddName(b.names[name], []byte(encode(element)), b.values)
	}
}

// learnPage takes from an answer how the provider writes a page.
func (b *bench) learnPage(a *savedAnswer) {
	_, found := valueAt(a.body, b.feed.Rows)
	if a.body == nil || a.Status > 299 || !found && len(b.feed.Rows) > 0 || b.feed.Refuses([]byte(a.Body)) {
		return
	}
	if next := b.nextIn(a.body); next == "" {
		b.last = cmp.Or(b.last, string(a.Body))
	} else if b.followed == "" {
		b.followed, b.relative = string(a.Body), strings.HasPrefix(next, "/")
	}
}

// nextIn is the next page's address or token in a page; empty: it is the last one.
func (b *bench) nextIn(body any) string {
	n := &b.feed.Next
	if has, _ := valueAt(body, n.Has); n.Has != nil && isEmpty(has) {
		return ""
	}
	next, found := valueAt(body, slices.Concat(n.URL, n.Token)) // it has one of them
	if !found || isEmpty(next) {
		return ""
	}
	return fmt.Sprint(next)
}
