package web

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Next says how to find the next page. Without it there is one page.
type Next struct {
	// URL is the path of the next page's address in a page; Token is the path of its token, for the
	// parameter Query.
	URL language.Path `yaml:"url"`
	// Has is the path of what a page has if another one follows.
	Has   language.Path `yaml:"has"`
	Token language.Path `yaml:"token"`
	Query string        `yaml:"query"`
	// Link is the relation of the next page's link in the Link header.
	Link string `yaml:"link"`
	// Page is the parameter with the page number, starting with From; Offset the parameter with the
	// number of rows to skip.
	Page   string `yaml:"page"`
	From   int    `yaml:"from"`
	Offset string `yaml:"offset"`
	// In says where the parameter is: in the query (or empty), or at a path in the body.
	In string `yaml:"in"`
}

// The places of a page's parameter.
const (
	inQuery = "query"
	inBody  = "body"
)

// Validate implements config.Validator.
func (n *Next) Validate(r *config.Report) {
	r.OneOf("in", cmp.Or(n.In, inQuery), inQuery, inBody)
	if n.In == inBody && n.Token == nil && n.Page == "" && n.Offset == "" {
		r.Problemf("in", "only works with token, page or offset; remove it")
	} else if _, err := language.ParsePath(n.parameter()); n.In == inBody && err != nil {
		r.Problemf("", "names %s, which is in the body, so it %s", n.parameter(), err)
	}
	if n.Has != nil && n.URL == nil && n.Token == nil {
		r.Problemf("has", "only works with url or token; remove it")
	}
	ways := []string{"url", "token", "link", "page", "offset"}
	switch given := slices.DeleteFunc(ways, func(key string) bool { return !r.Given(key) }); {
	case len(given) > 1:
		r.Problemf("", "must have one of url, token, link, page and offset")
	case (n.Token == nil) != (n.Query == ""):
		r.Problemf("", "must have both token and query: the token's path, and the parameter that sends it")
	}
}

// parameter is the name of the parameter that selects the page.
func (n *Next) parameter() string { return cmp.Or(n.Query, n.Page, n.Offset) }

// written is the key and its value that decide whether another page follows.
func (n *Next) written() string {
	switch {
	case n.Has != nil:
		return "has " + strings.Join(n.Has, ".")
	case n.URL != nil:
		return "url " + strings.Join(n.URL, ".")
	case n.Token != nil:
		return "token " + strings.Join(n.Token, ".")
	}
	return "link " + n.Link
}
