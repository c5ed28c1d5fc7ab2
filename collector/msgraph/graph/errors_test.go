package graph

import (
	"context"
	"regexp"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// graphText is what errors of Graph's refusals may look like.
var graphText = regexp.MustCompile(`^GET getPstnCalls: 403 Forbidden(, Graph says [A-Za-z][A-Za-z0-9_.]{0,63})?$`)

// refusedWith is the error of an answer 403 with a body.
func refusedWith(body []byte) error {
	client, err := httpclient.New(httpclient.Settings{
		BaseURL:   "https://graph.example",
		Transport: &answers{"403 " + string(body)}, Quote: Quote,
	})
	if err != nil {
		return err
	}
	_, err = client.Get(context.Background(), httpclient.Request{URL: "/x", Label: "getPstnCalls"})
	return err
}

func TestGraphCode(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":{"code":"Authorization_RequestDenied","message":"call +12065550100"}}`: "GET getPstnCalls: " +
			"403 Forbidden, Graph says Authorization_RequestDenied",
		`{"error":{"code":"Forbidden","message":"","innererror":{}}}`: "GET getPstnCalls: " +
			"403 Forbidden, Graph says Forbidden",
		`{"error":{"code":"call +12065550100"}}`: "GET getPstnCalls: " +
			"403 Forbidden",
		`{"error":"no"}`: "GET getPstnCalls: " +
			"403 Forbidden",
		`<html>`: "GET getPstnCalls: " +
			"403 Forbidden",
		``: "GET getPstnCalls: " +
			"403 Forbidden",
	} {
		if got := refusedWith([]byte(body)).Error(); got != want {
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
		err := refusedWith(body)
		if text := err.Error(); !graphText.MatchString(text) {
			t.Errorf("%q makes %q", body, text)
		}
	})
}
