package declared_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
)

const naming = `provider: acmetel
parameters: {names: {default: "yes", values: ["yes", "no"]}}
http: {base_url: https://api.acmetel.example, limit: {requests: 10, headers: X-Limit-, group: heavy}}
feeds:
  calls:
    request: {path: /calls}
    filter: {by: start}
    rows: rows
    next: {url: meta.next.href, has: meta.next}
    names:
      queues:
        when: {parameter.names: "yes"}
        request: {path: /queues}
        rows: list
        next: {url: next}
        ignore: {kind: user}
        id: id
        name: name
        limit: {requests: 40, group: medium}
    recording: {path: "/recordings/{recording_id}", content_type: type, duration: ms, unit: ms}
    record: {id: id, start: {path: start, time: rfc3339}, outcome: {is: answered}, trunk: {path: queue, names: queues}}
`

// TestNames: a list gives names for ids. It is read whole before each span, unless its condition
// isn't fulfilled; without it nothing is read.
func TestNames(t *testing.T) {
	page := fmt.Sprintf(`{"rows":[{"id":"1","queue":7,"start":%[1]q},{"id":"2","queue":"8","start":%[1]q},
		{"id":"3","queue":9,"start":%[1]q}],"meta":{}}`, declaredtest.Noon.Format(time.RFC3339))
	lists := map[string]string{
		"/queues":       `{"list":[{"id":7,"name":" Sales "},{"id":9,"name":"Ann","kind":"user"},3],"next":"/queues?p=2"}`,
		"/queues?p=2":   `{"list":[{"id":"8","name":"Support"}]}`,
		"/calls":        page,
		"/recordings/5": `{"type":"audio/mpeg; x=y","ms":46500}`,
		"/recordings/6": `{"type":"?"}`,
	}
	var asked []string
	f := &declaredtest.API{Answer: func(r *http.Request) (string, http.Header) {
		asked = append(asked, r.URL.RequestURI())
		if body, is := lists[r.URL.RequestURI()]; is {
			return body, nil
		}
		return "!403", nil
	}}
	trunks := func(block string) (all []string, err error) {
		asked = nil
		for page, err := range f.OpenText(t, naming, block).Reader.Pages(t.Context(), declaredtest.Noon, declaredtest.Noon.Add(time.Second)) {
			if err != nil {
				return all, err
			}
			for _, r := range page.Records {
				all = append(all, r.Trunk)
			}
		}
		return all, nil
	}
	if got, err := trunks("calls: "); err != nil || !slices.Equal(got, []string{"Sales", "Support", ""}) {
		t.Errorf("trunks %q, error %v", got, err)
	}
	if want := []string{"/queues", "/queues?p=2", "/calls"}; !slices.Equal(asked, want) {
		t.Errorf("it asks for %q", asked)
	}
	if got, err := trunks(`names: "no", calls: `); err != nil || len(got) != 3 || len(asked) != 1 {
		t.Errorf("without the list: %q, error %v, asks for %q", got, err, asked)
	}
	delete(lists, "/queues?p=2")
	if got, err := trunks("calls: "); err == nil || len(got) != 0 || slices.Contains(asked, "/calls") {
		t.Errorf("half a list: %q, error %v", got, err)
	}

	info := f.OpenText(t, naming, "calls: ")
	got, err := info.Recording(t.Context(), "5")
	if want := (collector.RecordingInfo{ContentType: "audio/mpeg", Duration: 46500 * time.Millisecond}); err != nil ||
		got != want {
		t.Errorf("recording %+v, error %v", got, err)
	}
	for _, id := range []string{"6", "../calls", "", "7"} {
		if got, err := info.Recording(t.Context(), id); err == nil || got != (collector.RecordingInfo{}) {
			t.Errorf("recording %q: %+v", id, got)
		}
	}
	if b := f.Source.Budget(); b.Limit != 10 || b.Group != "heavy" {
		t.Errorf("the budget is %+v", b)
	}
}

// TestHasNext: a page that has what `has` names must have a link. One that says no is the last. One without it is followed
// if it has a link or a token, and otherwise the last, even a full one, if it has the rest of the path.
func TestHasNext(t *testing.T) {
	row := fmt.Sprintf(`{"id":"1","start":%q}`, declaredtest.Noon.Format(time.RFC3339))
	full := strings.TrimSuffix(strings.Repeat(row+",", 50), ",")
	next := "{url: meta.next.href, has: meta.next}"
	for name, c := range map[string]struct {
		rows, more, problem string
		requests            int
		next                string // empty: as above
	}{
		"the last page is full":      {full, `"meta":{"last":1}`, "", 1, ""},
		"null":                       {row, `"meta":{"next":null}`, "", 1, ""},
		"another page":               {row, `"meta":{"next":{"href":"/calls?p=2"}}`, "", 2, ""},
		"no link":                    {row, `"meta":{"next":{}}`, "has meta.next, but no next page", 1, ""},
		"an empty link":              {row, `"meta":{"next":{"href":""}}`, "has meta.next, but no next page", 1, ""},
		"nothing of the path, full":  {full, `"other":1`, "it may be misspelt", 1, ""},
		"nothing of the path, short": {row, `"other":1`, "", 1, ""},
		"left out, and there is a link": {
			row, `"meta":{"next":{"href":"/calls?p=2"}}`, "", 2, "{url: meta.next.href, has: meta.more}",
		},
		"left out, and there is a token on every page": {
			row, `"next_cursor":"a"`, "", 2, "{token: next_cursor, query: c, has: has_more}",
		},
		"misspelt, and the answer says that more follow": {
			row, `"meta":{"cursor":"","has_more":true}`, "has meta.more: it may be misspelt", 1,
			"{token: meta.cursor, query: c, has: meta.more}",
		},
		"misspelt, and another member names the next page": {
			row, `"meta":{"nextPage":{"href":"/calls?p=2"}}`, "has meta.next: it may be misspelt", 1, "",
		},
		"no more, and there is a token": {
			row, `"meta":{"cursor":"a","more":false}`, "", 1, "{token: meta.cursor, query: c, has: meta.more}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			f := &declaredtest.API{Answer: func(*http.Request) (string, http.Header) {
				switch requests++; {
				case requests > 1 && strings.Contains(c.more, "next_cursor"):
					return `{"rows":[],"next_cursor":"b"}`, nil
				case requests > 1:
					return `{"rows":[],"meta":{}}`, nil
				}
				return `{"rows":[` + c.rows + `],` + c.more + `}`, nil
			}}
			text := strings.Replace(naming, next, cmp.Or(c.next, next), 1)
			_, _, err := declaredtest.ReadIDs(t, f.OpenText(t, text, `names: "no", calls: `), declaredtest.Noon, declaredtest.Noon.Add(time.Second))
			if failed := err != nil; failed != (c.problem != "") || failed && !strings.Contains(err.Error(), c.problem) ||
				requests != c.requests {
				t.Errorf("%d requests, error %v", requests, err)
			}
		})
	}
}
