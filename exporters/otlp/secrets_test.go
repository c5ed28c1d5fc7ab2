package otlp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// secrets are what must appear in no log, status or error.
var secrets = []string{"t0p-s3cret-token", "hunter2", "4930123456", "dXNlcjpodW50ZXIy"}

// text is a header that doesn't change.
func text(value string) func() (string, error) { return func() (string, error) { return value, nil } }

func checkNoSecret(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%s holds %q:\n%s", where, secret, text)
		}
	}
}

// TestNoSecretOverHTTP: an endpoint that repeats whatever it is sent. TestEveryStatus and TestPartialSuccess have the
// answers that are not here.
func TestNoSecretOverHTTP(t *testing.T) {
	const basic, bearer = "Basic dXNlcjpodW50ZXIy", "Bearer t0p-s3cret-token"
	const echo = "you sent " + basic + bearer + " and +4930123456"
	for name, answer := range map[string]*http.Response{
		"503":        respond(503, map[string]string{"Retry-After": echo}, echo),
		"a web page": respond(200, map[string]string{"Content-Type": "text/html"}, echo),
		"a redirect": respond(302, map[string]string{"Location": "http://elsewhere.example.com/?" + echo}, echo),
	} {
		inBubble(t, name, func(t *testing.T) {
			r := newRig(t, Settings{
				Endpoint: "http://otlp.example.com/base",
				Headers:  Headers{"x-token": text(bearer), "authorization": text(basic)},
			}, newOutbox(batch(1, "a", "b")), func(req *http.Request) (*http.Response, error) {
				if req.Header.Get("Authorization") != basic || req.Header.Get("X-Token") != bearer {
					t.Errorf("headers %v", req.Header)
				}
				return answer, nil
			})
			r.runFor(t, time.Minute)
			checkNoSecret(t, "the log", r.log.String())
			checkNoSecret(t, "the status", fmt.Sprintf("%+v", r.Status()))
			if r.log.Len() == 0 || !r.Status().Retrying {
				t.Errorf("status %+v, log:\n%s", r.Status(), r.log)
			}
		})
	}
}

// answerRaw answers each request with bytes that net/http wouldn't send, and returns its address.
func answerRaw(t *testing.T, answer func(*http.Request) string) string {
	t.Helper()
	l := listen(t)
	closing(t, l)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.Copy(io.Discard, r.Body) // else the answer is lost with the connection
				_, _ = io.WriteString(conn, answer(r))
			}
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

// TestNoSecretOfWhatIsNoHTTP: what answers there writes back what it was sent, and no header of HTTP.
func TestNoSecretOfWhatIsNoHTTP(t *testing.T) {
	for name, answer := range map[string]string{
		"no status line": "HTTP/1.1 dXNlcjpodW50ZXIy\r\n\r\n",
		"no header":      "HTTP/1.1 200 OK\r\nBasic dXNlcjpodW50ZXIy\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			address := answerRaw(t, func(*http.Request) string { return answer })
			u := newHTTPUploader(Settings{Endpoint: "http://" + address, Timeout: time.Minute})
			got := u.upload(t.Context(), requestOf(t, "a"))
			if got.kind != retry || !strings.Contains(got.problem, "malformed") {
				t.Errorf("got %+v", got)
			}
			checkNoSecret(t, "the problem", got.problem)
		})
	}
}

// TestNoSecretOfAProxy: a proxy repeats its password in the status line of a refusal.
func TestNoSecretOfAProxy(t *testing.T) {
	address := answerRaw(t, func(r *http.Request) string {
		return "HTTP/1.1 502 no " + r.Header.Get("Proxy-Authorization") + "\r\nContent-Length: 0\r\n\r\n"
	})
	u := newHTTPUploader(Settings{Endpoint: "https://203.0.113.5:4318", Timeout: time.Minute})
	proxy := &url.URL{Scheme: "http", User: url.UserPassword("user", "hunter2"), Host: address}
	u.client.Transport.(*transport).base.(*http.Transport).Proxy = http.ProxyURL(proxy)
	got := u.upload(t.Context(), requestOf(t, "a"))
	checkNoSecret(t, "the problem", got.problem)
	if want := "the proxy answered HTTP 502"; !strings.Contains(got.problem, want) {
		t.Errorf("%q, want %q", got.problem, want)
	}
}

// TestHeadersAreReadForEveryRequest: a secret in a file may change, and a file that
// can't be read is trouble that passes.
func TestHeadersAreReadForEveryRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		values := []any{"first", errors.New("open key: no such file"), "line\nbreak", "second"}
		reads := 0
		var got []string
		r := newRig(t, Settings{Headers: Headers{"Authorization": func() (string, error) {
			v := values[reads]
			reads++
			if err, failed := v.(error); failed {
				return "", err
			}
			return v.(string), nil
		}}}, newOutbox(batch(1, "a"), batch(2, "b")), func(req *http.Request) (*http.Response, error) {
			got = append(got, req.Header.Get("Authorization"))
			return respond(200, asProtobuf, ""), nil
		})
		r.runFor(t, time.Minute)
		if strings.Join(got, ",") != "first,second" || r.count.counts() != [2]int{2, 0} {
			t.Errorf("sent %q, counted %v", got, r.count.counts())
		}
		for _, want := range []string{
			"read header authorization: open key: no such file",
			"a character that isn't allowed in a header",
		} {
			if !strings.Contains(r.log.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, r.log)
			}
		}
	})
}

// TestConfiguredHeadersDontBreakTheBody: what a body is stays ours to say.
func TestConfiguredHeadersDontBreakTheBody(t *testing.T) {
	r := newRig(t, Settings{
		Endpoint: "http://otlp.example.com/v1/logs",
		Headers: Headers{
			"content-type": text("text/plain"), "Content-Encoding": text("br"), "user-agent": text("mine"),
			"authorization": text("ApiKey k"),
		},
	}, newOutbox(batch(1, "a")), func(req *http.Request) (*http.Response, error) {
		want := map[string]string{
			"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip", "User-Agent": "mine",
			"Authorization": "ApiKey k",
		}
		for name, value := range want {
			if got := req.Header.Values(name); len(got) != 1 || got[0] != value {
				t.Errorf("%s: %q, want %q", name, got, value)
			}
		}
		if req.URL.String() != "http://otlp.example.com/v1/logs" {
			t.Errorf("URL %s", req.URL)
		}
		return respond(200, asProtobuf, ""), nil
	})
	drain(t, r.Exporter)
}
