package declared

import "strings"

// given is what an alternative gives: a text, or what a table says of one.
type given struct {
	text  string
	by    *alternative
	cause // of a code's table, or of one for outcomes
}

// noValue in place of a problem: what an alternative gives means that there is none, such as a Unix time of 0.
const noValue = "gives no value"

// get is what the alternative gives of a row; by is nil if that is nothing. asked is a text that its table lacks.
func (a *alternative) get(r *row) (g given, asked, problem string) {
	if holds, problem := a.When.holds(r); !holds {
		return g, "", problem
	}
	text, is, problem := a.source(r)
	if is != single || problem != "" {
		if is == nested {
			problem = "is an object or a list"
		}
		return g, "", problem
	}
	if a.Match != nil {
		groups := a.Match.FindStringSubmatch(text)
		if groups == nil || groups[1] == "" {
			return g, "", ""
		}
		text = groups[1]
	}
	switch {
	case a.codes != nil:
		c, found, ok := a.codes(text)
		if !ok {
			return g, "", "is no code"
		}
		if !found {
			return g, text, ""
		}
		return given{text, a, c}, "", ""
	case a.Table != nil:
		e, found := a.Table[text]
		if !found {
			return g, text, ""
		}
		return given{e.Word, a, cause{outcomeWords[e.Word], e.Reason, faultDomains[e.Fault]}}, "", ""
	}
	return given{text: text, by: a}, "", ""
}

// source is the text that the alternative begins with.
func (a *alternative) source(r *row) (text string, is form, problem string) {
	switch {
	case a.Is != nil:
		return *a.Is, formOf(*a.Is), ""
	case a.Expr != nil:
		return a.Expr.text(r)
	case a.Join == nil:
		text, is = r.text(a.Path)
		return text, is, ""
	}
	parts := make([]string, len(a.Join))
	for i, p := range a.Join {
		if parts[i], is = r.text(p); is != single {
			return "", is, ""
		}
	}
	return strings.Join(parts, "/"), single, ""
}
