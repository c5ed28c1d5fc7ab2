package laws

import (
	"cmp"
	"net/http"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
)

// nameList is the feed's list of names at a path; nil: there is another list.
func (b *bench) nameList(path string) (name string, list *web.NameList) {
	for name, l := range b.feed.Names {
		if b.absolute(language.Expand(l.Request.FirstPath(), b.values)) == b.absolute(path) {
			return name, l
		}
	}
	return "", nil
}

// isNames says whether an answer of tests is a page of a list of names.
func (b *bench) isNames(a *declared.TestAnswer) bool {
	_, list := b.nameList(requested(a).Path)
	return list != nil
}

// readNames takes the names for ids from the answers of tests.
func (b *bench) readNames() {
	b.names = make(map[string]map[string]string)
	for i := range b.answers {
		name, list := b.nameList(requested(&b.answers[i]).Path)
		var body any
		if list == nil || decode(string(b.answers[i].Body), &body) != nil {
			continue
		}
		if b.names[name] == nil {
			b.names[name] = make(map[string]string)
		}
		found, _ := valueAt(body, list.Rows)
		elements, _ := found.([]any)
		for _, element := range elements {
			list.AddName(b.names[name], []byte(encode(element)), b.values)
		}
	}
}

// listOfNames answers a request for a list of names as tests do; nil: it is another request.
func (s *server) listOfNames(r *http.Request, body []byte) *http.Response {
	if _, list := s.nameList(r.URL.Path); list == nil {
		return nil
	}
	for i := range s.answers {
		if a := &s.answers[i]; s.isNames(a) && s.differs(a, r, string(body)) == "" {
			return given(r, a)
		}
	}
	s.wrong = append(s.wrong, "the answers of tests lack the list of names "+r.Method+" "+r.URL.RequestURI())
	return answer(r, http.StatusNotFound, nil, "{}")
}

// given is an answer of tests.
func given(r *http.Request, a *declared.TestAnswer) *http.Response {
	header := http.Header{}
	for key, value := range a.Headers {
		header.Set(key, value)
	}
	return answer(r, cmp.Or(a.Status, http.StatusOK), header, string(a.Body))
}
