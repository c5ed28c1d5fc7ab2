package graph

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
)

// graphText is what errors of Graph's refusals may look like.
var graphText = regexp.MustCompile(`^GET getPstnCalls: 403 Forbidden(, Graph says [A-Za-z][A-Za-z0-9_.]{0,63})?$`)

// refusedWith is the error of an answer 403 with a body.
func refusedWith(t testing.TB, body string) error {
	t.Helper()
	g := &providertest.Script{Answers: []providertest.Answer{{Status: http.StatusForbidden, Body: body}}}
	_, err := g.Client(t, Quote).Get(t.Context(), httpclient.Request{URL: "/x", Label: "getPstnCalls"})
	return err
}

func TestGraphCode(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":{"code":"Request_Denied","message":"call +12065550100"}}`: ", Graph says Request_Denied",
		`{"error":{"code":"Forbidden","message":"","innererror":{}}}`:       ", Graph says Forbidden",
		`{"error":{"code":"call +12065550100"}}`:                            "",
		`{"error":"no"}`:                                                    "", `<html>`: "", ``: "",
	} {
		if got := refusedWith(t, body).Error(); got != "GET getPstnCalls: 403 Forbidden"+want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// FuzzGraphCode: no answer makes an error hold more than a code.
func FuzzGraphCode(f *testing.F) {
	for _, body := range []string{
		`{"error":{"code":"Forbidden","message":""}}`, `{"error":{"code":"+12065550100"}}`, `{"error":"x"}`, `<html>`,
		``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := refusedWith(t, string(body))
		if text := err.Error(); !graphText.MatchString(text) {
			t.Errorf("%q makes %q", body, text)
		}
	})
}
