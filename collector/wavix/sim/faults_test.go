package sim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// faulty has an account whose export is longer than what is sent at once.
func faulty(t *testing.T, calls int) (*simulator.Faults, *Server, *client) {
	t.Helper()
	f := simulator.NewFaults(simulator.FaultSettings{Seed: 1})
	server, c := start(t, Settings{
		Account: account(t, calls, func(s *simulator.Settings) { s.Duplicated = 0 }), Faults: f, KeepOldPaths: true,
	})
	return f, server, c
}

func TestFaultsOfWavix(t *testing.T) {
	f, _, c := faulty(t, 30)
	for _, test := range []struct {
		fault          simulator.Fault
		endpoint, path string
		status         int
		is, contains   string
	}{
		{Unauthorized, EndpointList, "/v1/cdrs", 401, `{"success":false,"error":true,"message":"Unauthorized"}`, ""},
		{Forbidden, EndpointExport, "/v1/cdrs/all", 403, "", "not provisioned"},
		{SuccessFalse, EndpointList, "/v1/cdrs", 200, `{"success":false,"message":"Service temporary unavailable"}`, ""},
		{SuccessFalse, EndpointExport, "/v1/cdrs/all", 200, `{"success":false,"message":"Service temporary unavailable"}`, ""},
		{SuccessFalse, EndpointCSV, "/v1/cdr.csv", 200, `{"success":false,"message":"Service temporary unavailable"}`, ""},
		{SuccessFalse, EndpointCalls, "/v1/calls", 200, `{"success":false,"message":"Service temporary unavailable"}`, ""},
		{ErrorTrue, EndpointList, "/v1/cdrs", 200, `{"error":true,"message":"Internal error"}`, ""},
		{NoItems, EndpointList, "/v1/cdrs", 200, "", `{"pagination":{`},
		{NoItems, EndpointCalls, "/v1/calls", 200, `{"success":true}`, ""},
		{ZeroPerPage, EndpointList, "/v1/cdrs", 200, "", `"per_page":0,`},
		{SwappedMembers, EndpointList, "/v1/cdrs", 200, "", `{"pagination":{`},
		{simulator.Unavailable, EndpointList, "/v1/cdrs", 503, `{"success":false,"message":"Service temporary unavailable"}`, ""},
		{simulator.InternalError, EndpointExport, "/v1/cdrs/all", 500, `{"success":false,"message":"Internal Server Error"}`, ""},
		{simulator.HTMLOK, EndpointExport, "/v1/cdrs/all", 200, "", "<!DOCTYPE html>"},
		{simulator.HTMLOK, EndpointCSV, "/v1/cdr.csv", 200, "", "<!DOCTYPE html>"},
		{simulator.HTMLBadGateway, EndpointCalls, "/v1/calls", 502, "", "<!DOCTYPE html>"},
		{simulator.Throttle, EndpointCalls, "/v1/calls", 429, `{"success":false,"message":"Too many requests"}`, ""},
	} {
		t.Run(string(test.fault)+" "+test.endpoint, func(t *testing.T) {
			f.Once(test.endpoint, test.fault)
			response, body := c.get(test.path, options(Placed))
			if response.StatusCode != test.status || test.is != "" && string(body) != test.is || !strings.Contains(string(body), test.contains) {
				t.Errorf("%d %.300s", response.StatusCode, body)
			}
			if f.Pending() != 0 || f.Counts(test.endpoint)[test.fault] == 0 {
				t.Errorf("%d pending, %v", f.Pending(), f.Counts(test.endpoint))
			}
		})
	}
}

// TestFaultsOfStreams spoils a short export and a long one.
func TestFaultsOfStreams(t *testing.T) {
	for _, calls := range []int{30, 3000} {
		f, server, c := faulty(t, calls)
		good := linesOf(c.export(Received))
		half := len(good) / 2
		for _, test := range []struct {
			fault simulator.Fault
			check func(body []byte) bool
		}{
			{CutLine, func(body []byte) bool {
				at := bytes.LastIndexByte(body, '\n') + 1
				return slices.Equal(textsOf(linesOf(body[:at])), textsOf(good[:half])) && len(body) > at && !json.Valid(body[at:])
			}},
			{ShortStream, func(body []byte) bool {
				return slices.Equal(textsOf(linesOf(body)), textsOf(good[:half])) && bytes.HasSuffix(body, []byte("}\n"))
			}},
			{ErrorInStream, func(body []byte) bool {
				got := linesOf(body)
				return len(got) == half+1 && string(got[half]) == `{"success":false,"message":"Service temporary unavailable"}`
			}},
			{BlankLines, func(body []byte) bool {
				return slices.Equal(textsOf(linesOf(body)), textsOf(good)) && bytes.Contains(body, []byte("\n\n\n")) && bytes.HasSuffix(body, []byte("\n\n"))
			}},
			{NoFinalNewline, func(body []byte) bool {
				return slices.Equal(textsOf(linesOf(body)), textsOf(good)) && bytes.HasSuffix(body, []byte("}"))
			}},
		} {
			f.Once(EndpointExport, test.fault)
			response, body := c.get("/v1/cdrs/all", options(Received))
			if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/x-ndjson" ||
				response.Header.Get("Etag") != "0" || !test.check(body) {
				t.Errorf("%s of %d rows: %d bytes", test.fault, len(good), len(body))
			}
		}
		for _, fault := range []simulator.Fault{simulator.CutLength, simulator.CutChunked, simulator.Reset} {
			f.Once(EndpointExport, fault)
			if _, body, err := c.try(http.MethodGet, "/v1/cdrs/all", options(Received), ""); err == nil {
				t.Errorf("%s: %d bytes came without an error", fault, len(body))
			}
		}
		if rows := server.Requests().Rows(EndpointExport); rows != len(good)*3+half*3 {
			t.Errorf("recorded %d rows of %d", rows, len(good))
		}
	}
}

// TestFaultsWaitForWhatTheyFit: there is nothing to cut in an empty stream, and a list
// isn't one.
func TestFaultsWaitForWhatTheyFit(t *testing.T) {
	f, _, c := faulty(t, 30)
	f.Once("", CutLine, ShortStream, ErrorInStream, NoFinalNewline)
	c.page(options(Placed))
	c.get("/v1/calls", nil)
	c.get("/v1/cdr.csv", options(Placed))
	if body := c.export(Placed, "from", "2025-01-01", "to", "2025-01-01"); len(body) != 0 || f.Pending() != 4 {
		t.Errorf("%q, %d faults pending", body, f.Pending())
	}
	c.export(Placed)
	if f.Pending() != 3 {
		t.Errorf("%d faults pending", f.Pending())
	}
}

// TestHarmlessFaultsLoseNothing: whoever reads as documented has all rows.
func TestHarmlessFaultsLoseNothing(t *testing.T) {
	f, server, c := faulty(t, 300)
	want := server.DayTotals(begin, Placed, server.Now())
	f.Rate("", 0.8, Harmless()...)
	for range 10 {
		if rows, _ := c.pages(options(Placed), 40); len(rows) != want {
			t.Errorf("%d rows, want %d", len(rows), want)
		}
		if rows := linesOf(c.export(Placed)); len(rows) != want {
			t.Errorf("%d rows exported, want %d", len(rows), want)
		}
	}
	if counts := f.Counts(""); len(counts) != len(Harmless()) {
		t.Errorf("only %v happened", counts)
	}
}

// TestHarmfulFaultsEnd: the same request succeeds afterwards.
func TestHarmfulFaultsEnd(t *testing.T) {
	f, _, c := faulty(t, 30)
	for _, fault := range append(Harmful(), simulator.Transient()...) {
		if fault == simulator.Reset {
			// Go's client asks again by itself if a connection that it has used before is reset.
			continue
		}
		for endpoint, path := range map[string]string{EndpointList: "/v1/cdrs", EndpointExport: "/v1/cdrs/all", EndpointCSV: "/v1/cdr.csv"} {
			_, good := c.get(path, options(Placed))
			f.Once(endpoint, fault)
			_, body, err := c.try(http.MethodGet, path, options(Placed), "")
			if f.Pending() != 0 {
				// It doesn't fit the endpoint.
				f.Stop()
			} else if err == nil && bytes.Equal(body, good) {
				t.Errorf("%s of %s isn't noticed", fault, endpoint)
			}
			if _, again := c.get(path, options(Placed)); !bytes.Equal(again, good) {
				t.Errorf("%s of %s: the next answer is another one", fault, endpoint)
			}
		}
	}
}

// TestDateIsTheProviders: on every kind of answer.
func TestDateIsTheProviders(t *testing.T) {
	_, server, c := faulty(t, 3000)
	want := server.Now().Format(http.TimeFormat)
	for path, o := range map[string]url.Values{"/v1/cdrs": options(Placed), "/v1/cdrs/all": options(Placed), "/v1/calls": nil, "/v1/nothing": nil} {
		if response, _ := c.get(path, o); response.Header.Get("Date") != want {
			t.Errorf("%s: %s, want %s", path, response.Header.Get("Date"), want)
		}
	}
}
