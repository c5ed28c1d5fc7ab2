package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/access"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Request is the request for the first page of a span, whose ends are {from|FORMAT} and
// {to|FORMAT}.
type Request struct {
	// Path may be several: the first that the provider has.
	Path    language.Texts    `yaml:"path"    text:"plain"`
	Query   map[string]string `yaml:"query"   text:"secret"`
	Headers map[string]string `yaml:"headers" text:"plain"`
	// Method is GET (or empty) or POST, which has a Body.
	Method string       `yaml:"method"`
	Body   *requestBody `yaml:"body"`
}

// FirstPath is the first one of the paths.
func (r *Request) FirstPath() string {
	if len(r.Path) == 0 {
		return ""
	}
	return r.Path[0]
}

// Validate implements config.Validator.
func (r *Request) Validate(report *config.Report) {
	morning, evening := time.Date(2025, 2, 3, 4, 5, 6, 0, time.UTC), time.Date(2026, 11, 23, 17, 18, 19, 0, time.UTC)
	report.OneOf("method", cmp.Or(r.Method, http.MethodGet), http.MethodGet, http.MethodPost)
	if r.Body != nil && r.Method != http.MethodPost {
		report.Problemf("body", "needs method: POST; add that, or remove the body")
	}
	for key, text := range language.TextsIn(r, "") {
		for _, found := range timeIn.FindAllStringSubmatch(text, -1) {
			if language.FormatTime(morning, found[2]) == language.FormatTime(evening, found[2]) {
				report.Problemf(key, "has %s, which doesn't depend on the time; for a day write {%s|2006-01-02}, "+
					"otherwise another form of time", found[0], found[1])
			}
			if digit := language.StrayDigit(found[2]); digit != "" {
				report.Problemf(key, "has %s, whose %s isn't part of a time; write {%s|rfc3339}, or 2 January 2006, "+
					"15:04:05 in the provider's form", found[0], digit, found[1])
			}
			if language.HidesHalf(found[2]) {
				report.Problemf(key, "has %s, which %s", found[0], language.HalfOfDay)
			}
			if zone := language.ForeignZone(found[2]); zone != "" && strings.Trim(zone, "UTCGM+-:0 ") != "" {
				report.Problemf(key, "has %s, which has %s %s", found[0], zone, language.HowZones)
			}
		}
	}
}

// names says whether the request names an end of the span, from or to.
func (r *Request) names(end string) bool {
	for _, text := range language.TextsIn(r, "") {
		if strings.Contains(text, "{"+end+"|") {
			return true
		}
	}
	return false
}

// placeholderIn matches what stands for a value in a text: {from|FORMAT}, {for.NAME} or {PARAMETER}.
var placeholderIn = regexp.MustCompile(`\{[^{}]+\}`)

// fill puts the ends of a span, values of the feed's `for` and parameters into a text. The names of secrets
// stay in it, so that no secret gets into stored or shown texts; access.Authorize puts the secrets in.
func (f *Feed) fill(text string, p piece) string {
	return placeholderIn.ReplaceAllStringFunc(text, func(found string) string {
		name := found[1 : len(found)-1]
		value, isFor := p.values[strings.TrimPrefix(name, "for.")]
		switch {
		case timeIn.MatchString(found):
			return p.formatTime(found)
		case isFor && strings.HasPrefix(name, "for."):
			return value
		case f.secrets[name]:
			return found
		}
		return language.Expand(found, f.Parameters)
	})
}

// address is the address of the first page of a list, by one of the request's paths.
func (f *Feed) address(path string, p piece) string {
	path = f.fill(path, p)
	query := url.Values{}
	for key, text := range f.Request.Query {
		query.Set(key, f.fill(text, p))
	}
	if f.Next.Page != "" && f.Next.In != inBody {
		query.Set(f.Next.Page, strconv.Itoa(f.Next.From))
	}
	if len(query) == 0 {
		return path
	}
	if strings.Contains(path, "?") {
		return path + "&" + query.Encode()
	}
	return path + "?" + query.Encode()
}

// Secrets are the secrets that the list's requests name.
func (l *List) Secrets() (names []string) {
	for _, text := range language.TextsIn(l, "") {
		names = append(names, secretNames(text, l.secrets)...)
	}
	return names
}

// secretNames are the secrets that a text names.
func secretNames(text string, secrets map[string]bool) (names []string) {
	return slices.DeleteFunc(language.ParametersIn(text), func(name string) bool { return !secrets[name] })
}

// withSecrets is a link to the next page in which the secrets of the first page's query stand by
// name again, whether the link has them or not.
func (l *List) withSecrets(link, first string) string {
	for key, text := range l.Request.Query {
		if len(secretNames(text, l.secrets)) == 0 || link == "" {
			continue
		}
		from, err := url.Parse(first)
		if err != nil {
			return link
		}
		u, err := url.Parse(link)
		if err != nil {
			return link // the client will refuse it
		}
		u.RawQuery = access.WithParameter(u.RawQuery, key, from.Query().Get(key))
		link = u.String()
	}
	return link
}

// withParameter is an address with another parameter, or with another value of it.
func withParameter(address, key, value string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("the address of a page can't be read") // it may contain a token
	}
	query := u.Query()
	query.Set(key, value)
	u.RawQuery = query.Encode()
	return u.String(), nil
}
