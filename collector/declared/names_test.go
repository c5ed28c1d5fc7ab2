package declared_test

import (
	"fmt"
	"net/http"
	"slices"
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
		reader, from := f.OpenText(t, naming, block).Reader, declaredtest.Noon
		for page, err := range reader.Pages(t.Context(), from, from.Add(time.Second)) {
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
	if b := f.Source.Budget(); b.Limit != 10 || b.Per != time.Minute || b.Group != "heavy" {
		t.Errorf("the budget is %+v", b)
	}
}
