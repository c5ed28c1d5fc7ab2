package laws

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
)

// request is what a request asks for.
type request struct {
	from, to time.Time         // both zero: everything
	of       map[string]string // the values of the feed's `for`
	page     int               // from 0; for an offset the rows before it

	ends map[string][]part // of from and to
}

// part is a part of an end of the span, such as its year: what the request has, and in which form.
type part struct{ text, form string }

// has says whether the request wants a row whose time is at.
func (q *request) has(r *row, at time.Time) bool {
	for key, value := range r.of {
		if asked, is := q.of[key]; is && asked != value {
			return false
		}
	}
	return q.from.IsZero() && q.to.IsZero() || !at.Before(q.from) && (q.to.IsZero() || at.Before(q.to))
}

// The parameter of the next page's address, and what its token begins with.
const (
	pageParameter = "kit_page"
	pageToken     = "kit"
)

// parse reads a request for a page of a list as the definition writes it.
func (b *bench) parse(list *web.List, r *http.Request, body []byte) (q request, problem string) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, "the query can't be read: " + r.URL.RawQuery
	}
	var document any
	if len(body) > 0 {
		if err := decode(string(body), &document); err != nil {
			return q, "the body isn't JSON"
		}
	}
	for _, t := range templatesOf(&list.Request) {
		template := language.Expand(t.text, b.values)
		var text string
		switch t.steps[0] {
		case "path":
			text = r.URL.Path
			template, _ = url.PathUnescape(b.absolute(template))
		case "query":
			text = query.Get(t.steps[1])
		default:
			value, _ := valueAt(document, t.steps[1:])
			if _, isList := value.([]any); isList || value == nil && !placeholder.MatchString(template) {
				continue // a parameter that is a list, or a header: the law answers compares it
			}
			text = fmt.Sprint(value)
		}
		if strings.HasPrefix(text, pageToken) {
			continue // the token of a page stands in place of what the definition asks for first
		}
		if !q.read(template, text) {
			return q, fmt.Sprintf("%s of the request is %q, and the definition says %q", strings.Join(t.steps, "."),
				text, template)
		}
	}
	if step := list.Filter.Step; step > 0 && q.to.IsZero() { // the last day is the first one
		q.to = q.from.Add(step)
	}
	return q, q.readPage(list, query, document)
}

// readPage reads the number of the page.
func (q *request) readPage(list *web.List, query url.Values, body any) (problem string) {
	n := &list.Next
	parameter := n.Query + n.Page + n.Offset // it has one of them
	if n.URL != nil || n.Link != "" {
		parameter = pageParameter
	}
	text := query.Get(parameter)
	if n.In == "body" {
		text = ""
		if value, _ := valueAt(body, strings.Split(parameter, ".")); value != nil {
			text = fmt.Sprint(value)
		}
	}
	number, isToken := strings.CutPrefix(text, pageToken)
	if _, always := list.Request.Query[parameter]; text == "" || always && !isToken {
		return ""
	}
	var err error
	if q.page, err = strconv.Atoi(number); err != nil {
		return fmt.Sprintf("%s of the request is %q, which isn't a page that the provider gave", parameter, number)
	}
	if n.Page != "" {
		q.page -= n.From
	}
	return ""
}

var placeholder = regexp.MustCompile(`\{(from|to)\|([^}]+)\}|\{for\.([a-z0-9_]+)\}`)

// read reads the values that a template names. The text may not be of the template, or have no times.
func (q *request) read(template, text string) (is bool) {
	pattern, rest := "^", 0
	for _, at := range placeholder.FindAllStringIndex(template, -1) {
		pattern += regexp.QuoteMeta(template[rest:at[0]]) + "(.+?)"
		rest = at[1]
	}
	values := regexp.MustCompile(pattern + regexp.QuoteMeta(template[rest:]) + "$").FindStringSubmatch(text)
	if values == nil {
		return false
	}
	if q.of == nil {
		q.of, q.ends = make(map[string]string), make(map[string][]part)
	}
	for i, name := range placeholder.FindAllStringSubmatch(template, -1) {
		value, end, form := values[i+1], name[1], name[2]
		if end == "" {
			q.of[name[3]] = value
			continue
		}
		if _, problem := language.ParseTime(value, form, time.UTC); problem != "" {
			return false
		}
		q.ends[end] = append(q.ends[end], part{value, form})
	}
	q.from, q.to = joined(q.ends["from"]), joined(q.ends["to"])
	return true
}

// joined is the time of an end that a request has in parts, such as its day and its time of day. If parts have a form
// such as unix, which isn't a layout, the last one is the whole time.
func joined(parts []part) time.Time {
	text, form := "", ""
	for _, p := range parts {
		text, form = text+" "+p.text, form+" "+p.form
	}
	whole, problem := language.ParseTime(text, form, time.UTC)
	if problem != "" {
		last := parts[len(parts)-1]
		whole, _ = language.ParseTime(last.text, last.form, time.UTC)
	}
	return whole
}

// template is a text of a request: steps lead to it, of which the first is path, query or body.
type template struct {
	steps []string
	text  string
}

var indexIn = regexp.MustCompile(`\[(\d+)\]`)

// templatesOf are the texts of the request.
func templatesOf(r *web.Request) (all []template) {
	texts := language.TextsIn(r, "")
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		text := texts[key]
		if strings.HasPrefix(key, "body") { // a path with an index is one of several, and the others may be used
			key = indexIn.ReplaceAllString(key, ".$1")
		}
		if steps, err := language.ParsePath(key); err == nil {
			all = append(all, template{steps, text})
		}
	}
	return all
}

// endUnit is the unit of time in which the request names the end of its span, such as 24h for days. An end within a
// unit may leave the begin of that unit out. It is a minute for an end that is finer, is a month, or isn't named, and
// for one that says that it is the unit's end, such as 23:59:59.
func (b *bench) endUnit() time.Duration {
	var forms []string
	for _, t := range templatesOf(&b.feed.Request) {
		for _, of := range placeholder.FindAllStringSubmatch(t.text, -1) {
			if of[1] == "to" && !strings.Contains(t.text, ":59") {
				forms = append(forms, of[2])
			}
		}
	}
	midnight := time.Date(2026, time.March, 3, 0, 0, 0, 0, time.UTC)
	for _, unit := range []time.Duration{time.Minute, time.Hour, day} {
		changes := func(form string) bool {
			return language.FormatTime(midnight, form) != language.FormatTime(midnight.Add(unit), form)
		}
		if slices.ContainsFunc(forms, changes) {
			return unit
		}
	}
	return time.Minute
}
