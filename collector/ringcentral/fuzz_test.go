package ringcentral

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// FuzzPage: whatever RingCentral answers, a page is either refused or read with one
// record, invalid row or ignored row per row, and the texts are UTF-8.
func FuzzPage(f *testing.F) {
	page, err := os.ReadFile("testdata/call_log.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(page)
	for _, row := range whole {
		f.Add([]byte(pageOf("/next", row)))
	}
	for _, page := range []string{
		``, `{}`, `[]`, `{"records":[]}`, `{"records":[5,{},null]}`, `{"records":[{"id":"1"},{"id`,
		`{"records":[{"type":"Fax"}],"navigation":{"nextPage":{}}}`,
		"{\"records\":[{\"id\":\"\xff\",\"startTime\":\"2026-11-01T00:00:00Z\"}]}", `{"records":[{"legs":[null]}]}`,
	} {
		f.Add([]byte(page))
	}
	log := extensionLog()
	f.Fuzz(func(t *testing.T, page []byte) {
		rows := 0
		_, err := decodeAll(newPageDecoder(), &mapper{log: log}, page, func(b *collector.Page) {
			rows += len(b.Records) + len(b.Invalid) + len(b.Ignored)
			for _, r := range b.Records {
				checkRecord(t, r)
			}
			for _, bad := range b.Invalid {
				if !problemText(bad.Problem) {
					t.Errorf("the problem of %q is %q", bad.Content, bad.Problem)
				}
			}
		})
		if want, ok := rowsOf(page); err == nil && ok && rows != want {
			t.Errorf("%d rows came of %d: %q", rows, want, page)
		}
	})
}

// problemText says whether a problem is in our own words: only fields' names, positions and types.
func problemText(text string) bool {
	return text != "" && len(text) < 200 &&
		strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789., -:'") == ""
}

// rowsOf counts a page's rows with another decoder, and says whether it could.
func rowsOf(page []byte) (int, bool) {
	var envelope map[string]json.RawMessage // a map's names are case-sensitive, unlike a struct's
	var rows []json.RawMessage
	if json.Unmarshal(page, &envelope) != nil || json.Unmarshal(envelope["records"], &rows) != nil {
		return 0, false
	}
	return len(rows), true
}

func checkRecord(t *testing.T, r *cdr.Record) {
	t.Helper()
	switch {
	case r.Start.IsZero():
		t.Error("a record has no start")
	case r.ID == "" && r.Synthetic == "":
		t.Error("a record has no key")
	case r.Duration < 0 || r.Version < 0:
		t.Error("a duration or a version is negative")
	case r.Outcome.Connected() && r.Reason != "":
		t.Error("a call that was answered has a reason")
	case r.CallKey != r.CallID:
		t.Error("the group isn't the session")
	}
	seen := map[string]bool{}
	for _, rec := range r.Recordings {
		if rec.ID == "" || seen[rec.ID] {
			t.Error("a recording is there twice")
		}
		seen[rec.ID] = true
	}
	texts := []string{
		r.ID, r.CallID, r.CallType, r.ReasonPhrase, r.CallerNumber, r.CalleeNumber, r.UserID, r.UserName,
		r.Country,
	}
	for _, a := range r.Extra {
		texts = append(texts, a.Str, strings.Join(a.Strs, ""))
	}
	for _, text := range texts {
		if !utf8.ValidString(text) {
			t.Errorf("%q is not UTF-8", text)
		}
	}
}

// FuzzActiveCalls: whatever RingCentral answers, no more calls are in progress than there
// are rows.
func FuzzActiveCalls(f *testing.F) {
	f.Add([]byte(pageOf("", live("1", `"direction":"Inbound"`), live("2", `"direction":"Sideways"`), `5`)))
	f.Add([]byte(`{"records":[{"result":"In Progress","from":{"extensionId":"1"},"to":{"extensionId":"2"}}]}`))
	f.Fuzz(func(t *testing.T, page []byte) {
		active, calls, decoder := &activeCalls{grouped: true}, map[string]cdr.Direction{}, newPageDecoder()
		if _, err := decoder.decode(page); err != nil {
			return
		}
		problem := active.add(calls, decoder.rows, 1)
		if rows, ok := rowsOf(page); ok && len(calls) > rows || problem != "" && !problemText(problem) {
			t.Errorf("%d calls of %d rows, problem %q: %q", len(calls), rows, problem, page)
		}
	})
}

// FuzzRefusal: no answer makes an error hold more than codes and names.
func FuzzRefusal(f *testing.F) {
	for _, body := range []string{
		refuses(403, "InsufficientPermissions", "CMN-408", "FullCompanyCallLog").body, `{"errorCode":"+12065550100"}`,
		`{"errors":[{"message":"[Steven] permission"}]}`,
		`{"error":"invalid_grant","errors":{}}`, `<html>`, ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := refusedWith(t, http.StatusForbidden, string(body))
		if text := err.Error(); !refusalText.MatchString(text) {
			t.Errorf("%q makes %q", body, text)
		}
		if what, todo := Advise(err); what == "" || todo == "" || strings.Contains(what+todo, "\n") {
			t.Errorf("%q makes %q and %q", body, what, todo)
		}
	})
}

// FuzzTokenAnswer: an answer brings a token that can be sent, or an error in our own
// words.
func FuzzTokenAnswer(f *testing.F) {
	for status, body := range map[int]string{
		200: tokenReply("t", nil).body, 201: `{"access_token":"a b"}`, 202: `{"error":"x"}`, 204: ``,
		400: `{"error":"invalid_grant","error_description":"+12065550100"}`,
		401: `{"errors":[{"errorCode":"OAU-153"}]}`, 429: `[]`, 500: `<html>`,
	} {
		f.Add(status, "application/json", []byte(body))
	}
	f.Add(200, "text/plain", []byte(`access_token=t&expires_in=5`))
	f.Add(200, "application/x-www-form-urlencoded", []byte(`access_token=%00&scope=ReadCallLog`))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		if status < 200 || status > 599 {
			return
		}
		p := &platform{t: t, answers: []reply{{
			status: status, header: http.Header{"Content-Type": {contentType}},
			body: string(body),
		}}}
		got, err := p.credentials().token(t.Context())
		if err == nil {
			if !httpguts.ValidHeaderFieldValue(got.Value) {
				t.Errorf("%q makes the token %q", body, got.Value)
			}
			return
		}
		if what, todo := Advise(err); got.Value != "" || !tokenText.MatchString(what) || todo == "" {
			t.Errorf("%d %q makes %q", status, body, what)
		}
	})
}

// FuzzClaims: a text that isn't a JWT has no claims, and a subject is plain.
func FuzzClaims(f *testing.F) {
	for _, jwt := range []string{
		testJWT(`{"sub":"63097263004","exp":1798859045}`), testJWT(`{"exp":1e400}`), "a.b.c",
		"..", "",
	} {
		f.Add(jwt)
	}
	f.Fuzz(func(t *testing.T, jwt string) {
		user, expires := readClaims(jwt)
		if strings.ContainsAny(user, " \n\x00") || expires.Year() > 9999 {
			t.Errorf("%q makes %q, %s", jwt, user, expires)
		}
	})
}
