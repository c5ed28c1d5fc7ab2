package wavix

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// fuzzed decodes an answer and counts its rows. For any input, a record has a start and a key, and
// its texts are UTF-8.
func fuzzed(t *testing.T, format string, body []byte) (rows int, err error) {
	t.Helper()
	d, err := decodeBody(format, kindPlaced, body)
	if err != nil {
		return 0, err
	}
	for _, l := range d.answer.rows {
		if l.bad == nil {
			checkRecord(t, l.record)
		}
	}
	return len(d.answer.rows), nil
}

func checkRecord(t *testing.T, r *cdr.Record) {
	t.Helper()
	switch {
	case r.Start.IsZero():
		t.Error("a record has no start")
	case (r.ID == "") == (r.Synthetic == ""):
		t.Errorf("a record has the keys %q and %q", r.ID, r.Synthetic)
	case r.Duration < 0:
		t.Error("a duration is negative")
	case r.Parent != "" && r.Parent == r.ID:
		t.Error("a record is its own parent")
	}
	texts := []string{r.ID, r.CallID, r.Parent, r.CallType, r.Trunk, r.CallerNumber, r.CalleeNumber, r.Country}
	for _, a := range r.Extra {
		texts = append(texts, a.Str)
	}
	for _, text := range append(texts, r.AltIDs...) {
		if !utf8.ValidString(text) {
			t.Errorf("%q is not UTF-8", text)
		}
	}
}

// FuzzPage: a page is either refused or read with one record or one invalid row per row.
func FuzzPage(f *testing.F) {
	for _, body := range []string{
		testdata(f, "guide.json"), testdata(f, "page.json"), ``, `{}`, `[]`, `{"items":[]}`, `{"items":[5,{},null]}`,
		`{"items":[{"date":"2026-03-01T10:00:00Z","from":1e3},{"date":"2026-03-01T10:00:00Z","from":1e3}],"pagination":{"total":1}}`,
		"{\"items\":[{\"call_id\":\"\xff\",\"date\":\"2026-03-01T10:00:00Z\"}]}", `{"items":[{"uuid":"1"},{"uu`,
		`{"success":false}`,
		`{"items":[{"date":"2026-03-01T10:00:00Z","uuid":"1","parent_uuid":"2","charge":"1e-18","\u0063harge":2}]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, err := fuzzed(t, formatJSON, body)
		var envelope struct {
			Items []json.RawMessage `json:"items"`
		}
		if err != nil || json.Unmarshal(body, &envelope) != nil {
			return
		}
		if rows != len(envelope.Items) {
			t.Errorf("%d rows came of %d: %q", rows, len(envelope.Items), body)
		}
	})
}

// FuzzStream: a stream is either refused or read with one record or one invalid row per
// line.
func FuzzStream(f *testing.F) {
	for _, body := range []string{
		testdata(f, "stream.ndjson"), ``, "\n\n", `{}`, "5\nnull\n{}", `{"success":false}`,
		"{\"date\":\"2026-03-01T10:00:00Z\"}\n{\"da",
		"{\"date\":\"2026-03-01T10:00:00Z\"}\n{\"date\":\"2026-03-01T10:00:00Z\"}", `{"error":true}`, `<html>`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, err := fuzzed(t, formatStream, body)
		if err != nil {
			return
		}
		want := 0
		for line := range bytes.Lines(bytes.TrimPrefix(body, []byte("\ufeff"))) {
			if len(bytes.TrimSpace(line)) > 0 {
				want++
			}
		}
		if rows != want {
			t.Errorf("%d rows came of %d: %q", rows, want, body)
		}
	})
}

// FuzzCSV: nothing of an answer is in an error.
func FuzzCSV(f *testing.F) {
	for _, body := range []string{
		testdata(f, "calls.csv"), ``, "date\n", "date,uuid\n2026-03-01T10:00:00Z,1\n", "date\n\"",
		"date\n2026-03-01 10:00:00 UTC\n\n\"a\nb\"\n",
		"\ufeffDATE;x\n", "date,date\n", "<html>", `{"success":false}`, "date\na\"b\n2026-03-01T10:00:00Z",
		"date,from\n2026-03-01T10:00:00Z,\"4\"\"9\"",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := fuzzed(t, formatCSV, body)
		if err != nil && !csvText.MatchString(err.Error()) {
			t.Errorf("%q makes %q", body, err)
		}
	})
}

// csvText is what errors of a CSV answer may look like.
var csvText = regexp.MustCompile(`^(the answer (has no column date: its first line must name the columns|has the same column twice|isn't valid CSV in line \d+` +
	`|is cut( in line \d+| at byte \d+)?|is JSON instead of CSV|is no valid JSON at byte \d+|says that the request failed(, Wavix says "[A-Z][a-zA-Z_. ]+")?)` +
	`|got HTML where call records were expected|a value of the answer is too long: over \d+ bytes)$`)

// FuzzActiveCalls: no more calls are in progress than are listed.
func FuzzActiveCalls(f *testing.F) {
	for _, body := range []string{
		testdata(f, "active.json"), `{"calls":[]}`, `[]`, `[{"id":"1"},{"uuid":"1"},5]`, `{"success":false}`,
		`{"calls":[{"event_type":"completed"}]}`, `{"calls":null}`,
		`[{"\u0069d":"\ud83d","id":"2"}]`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		count, err := decodeActive(body)
		if err != nil {
			return
		}
		sum := 0
		for _, n := range count {
			sum += n
		}
		if listed := bytes.Count(body, []byte("{")); sum > listed {
			t.Errorf("%d calls are in progress of at most %d: %q", sum, listed, body)
		}
	})
}

// FuzzMessage: no answer makes an error hold more than a message that is known.
func FuzzMessage(f *testing.F) {
	for _, body := range []string{
		`{"success":false,"message":"Unauthorized"}`, `{"message":"+12065550100"}`, `{"message":{"x":1}}`, `<html>`, ``,
		`{"message":"Missing or invalid parameter from"}`, `{"message":"a","message":"Access Denied"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		text := refusedWith(http.StatusForbidden, string(body)).Error()
		if !messageText.MatchString(text) {
			t.Errorf("%q makes %q", body, text)
		}
	})
}

var messageText = regexp.MustCompile(`^GET cdrs: 403 Forbidden(, Wavix says "(` +
	strings.Join(quoteAll(slices.Sorted(maps.Keys(messages))), "|") +
	`|Missing or invalid parameter (from|to|type|disposition|page|per_page|appid))")?$`)

func quoteAll(texts []string) []string {
	var all []string
	for _, text := range texts {
		all = append(all, regexp.QuoteMeta(text))
	}
	return all
}
