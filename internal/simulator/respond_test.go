package simulator

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// body is long enough to be cut.
var body = []byte(`{"value":"` + strings.Repeat("0123456789", 10_000) + `"}`)

// startFaulty serves the body over HTTPS with faults.
func startFaulty(t *testing.T, f *Faults) (url string, client *http.Client) {
	t.Helper()
	authority, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := authority.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	l, err := Serve("127.0.0.1:0", leaf, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.Write(w, r, f.Next(Request{Endpoint: "a"}, nil), Answer{
			Status: http.StatusOK, Body: body, Now: begin,
			Error: func(status int) []byte { return []byte(http.StatusText(status)) },
		})
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool()}}
	t.Cleanup(transport.CloseIdleConnections)
	return l.URL(), &http.Client{Transport: transport}
}

// get is an answer, read as far as it goes.
func get(t *testing.T, client *http.Client, url string) (response *http.Response, got []byte, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err = client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	got, err = io.ReadAll(response.Body)
	return response, got, err
}

func TestAnswers(t *testing.T) {
	f := NewFaults(FaultSettings{RetryAfter: 17 * time.Second})
	url, client := startFaulty(t, f)
	for _, c := range []struct {
		fault      Fault
		status     int
		retryAfter string
		contains   string
	}{
		{NoFault, 200, "", "0123456789"},
		{Throttle, 429, "", "Too Many Requests"},
		{ThrottleSeconds, 429, "17", "Too Many Requests"},
		{ThrottleDate, 429, "Mon, 02 Mar 2026 00:00:17 GMT", "Too Many Requests"},
		{InternalError, 500, "", "Internal Server Error"},
		{EmptyError, 500, "", ""},
		{BadGateway, 502, "", "Bad Gateway"},
		{Unavailable, 503, "", "Service Unavailable"},
		{UnavailableSeconds, 503, "17", "Service Unavailable"},
		{GatewayTimeout, 504, "", "Gateway Timeout"},
		{HTMLBadGateway, 502, "", "<html>"},
		{HTMLOK, 200, "", "<html>"},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			f.Once("", c.fault)
			response, got, err := get(t, client, url)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != c.status || response.Header.Get("Retry-After") != c.retryAfter || !strings.Contains(string(got), c.contains) {
				t.Errorf("%d, Retry-After %q, %.40q", response.StatusCode, response.Header.Get("Retry-After"), got)
			}
			if date := response.Header.Get("Date"); date != "Mon, 02 Mar 2026 00:00:00 GMT" {
				t.Errorf("Date is %q", date)
			}
			if StatusOf(c.fault, 200) != c.status {
				t.Errorf("StatusOf says %d", StatusOf(c.fault, 200))
			}
		})
	}
}

func TestBrokenAnswers(t *testing.T) {
	f := NewFaults(FaultSettings{SlowFor: 40 * time.Millisecond})
	url, client := startFaulty(t, f)
	for _, c := range []struct {
		fault  Fault
		length int64
	}{{CutLength, int64(len(body))}, {CutChunked, -1}} {
		f.Once("", c.fault)
		response, got, err := get(t, client, url)
		if err == nil || response == nil || response.ContentLength != c.length || len(got) != len(body)/2 {
			t.Errorf("%s: %d bytes came, error %v", c.fault, len(got), err)
		}
	}
	f.Once("", Reset)
	if response, _, err := get(t, client, url); err == nil {
		t.Errorf("a reset was answered with %d", response.StatusCode)
	}
	f.Once("", Slow)
	begun := time.Now()
	if _, got, err := get(t, client, url); err != nil || !bytes.Equal(got, body) {
		t.Errorf("slow: %d bytes, error %v", len(got), err)
	}
	if took := time.Since(begun); took < 35*time.Millisecond {
		t.Errorf("the slow answer took %s", took)
	}
}

// TestBrokenAnswersOverHTTP2 has no chunks and no connection to cut: the stream ends.
func TestBrokenAnswersOverHTTP2(t *testing.T) {
	f := NewFaults(FaultSettings{})
	url, client := startFaulty(t, f)
	client.Transport.(*http.Transport).ForceAttemptHTTP2 = true //nolint:forcetypeassert // startFaulty made it.
	if response, got, err := get(t, client, url); err != nil || response.ProtoMajor != 2 || !bytes.Equal(got, body) {
		t.Fatalf("%d bytes, error %v", len(got), err)
	}
	for _, fault := range []Fault{CutLength, CutChunked, Reset} {
		f.Once("", fault)
		if _, got, err := get(t, client, url); err == nil {
			t.Errorf("%s: all %d bytes came", fault, len(got))
		}
	}
}

func TestAuthorityIsNeeded(t *testing.T) {
	url, _ := startFaulty(t, NewFaults(FaultSettings{}))
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	if _, _, err := get(t, &http.Client{Transport: transport}, url); err == nil || !strings.Contains(err.Error(), "x509") {
		t.Errorf("without the authority: %v", err)
	}
}

func TestAuthorityFile(t *testing.T) {
	a, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.WriteFile(filepath.Join(t.TempDir(), "ca.pem")); err != nil {
		t.Error(err)
	}
	if err := a.WriteFile(filepath.Join(t.TempDir(), "none", "ca.pem")); err == nil {
		t.Error("no error for a folder that doesn't exist")
	}
}
