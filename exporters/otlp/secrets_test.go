package otlp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// secrets are what must appear in no log, status or error.
var secrets = []string{"t0p-s3cret-token", "hunter2", "4930123456", "dXNlcjpodW50ZXIy"}

// safeLog is a log that two goroutines write.
type safeLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *safeLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

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

// TestNoSecretOverHTTP: an endpoint that repeats whatever it is sent.
func TestNoSecretOverHTTP(t *testing.T) {
	answers := map[string]func(*http.Request, string) (*http.Response, error){
		"400": func(_ *http.Request, echo string) (*http.Response, error) { return respond(400, nil, echo), nil },
		"401": func(_ *http.Request, echo string) (*http.Response, error) { return respond(401, nil, echo), nil },
		"503": func(_ *http.Request, echo string) (*http.Response, error) {
			return respond(503, map[string]string{"Retry-After": echo}, echo), nil
		},
		"partial success": func(_ *http.Request, echo string) (*http.Response, error) {
			return respond(200, asProtobuf, logsAnswer(t, 1, echo)), nil
		},
		"a web page": func(_ *http.Request, echo string) (*http.Response, error) {
			return respond(200, map[string]string{"Content-Type": "text/html"}, echo), nil
		},
		"a redirect": func(_ *http.Request, echo string) (*http.Response, error) {
			return respond(302, map[string]string{"Location": "http://elsewhere.example.com/?" + echo}, echo), nil
		},
		"the network": func(req *http.Request, _ string) (*http.Response, error) {
			return nil, fmt.Errorf("dial %s: %w", req.URL.Host, errors.New("connection refused"))
		},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &safeLog{}
				e := newBoth(t, Settings{
					Endpoint: "http://otlp.example.com/base", Interval: 5 * time.Second,
					Headers: Headers{
						"x-token":       text("Bearer t0p-s3cret-token"),
						"authorization": text("Basic dXNlcjpodW50ZXIy"),
					},
					Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
						if req.Header.Get("Authorization") != "Basic dXNlcjpodW50ZXIy" ||
							req.Header.Get("X-Token") != "Bearer t0p-s3cret-token" {
							t.Errorf("headers %v", req.Header)
						}
						return answer(req, "you sent "+req.Header.Get("Authorization")+req.Header.Get("X-Token")+
							" and +4930123456")
					}),
				}, parts{
					sources: []metrics.Source{oneCall(1)}, outbox: newOutbox(batch(1, "a", "b")),
					count:  new(tally).count,
					logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
				})
				ctx, cancel := context.WithTimeout(t.Context(), 62*time.Second)
				defer cancel()
				if err := e.Run(ctx); err != nil {
					t.Errorf("run: %v", err)
				}
				checkNoSecret(t, "the log", log.String())
				checkNoSecret(t, "the status", fmt.Sprintf("%+v", e.Status()))
				if log.String() == "" {
					t.Error("nothing was logged")
				}
			})
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

// TestNoSecretOverGRPC: the same with a server that repeats the metadata.
func TestNoSecretOverGRPC(t *testing.T) {
	for _, code := range []codes.Code{codes.InvalidArgument, codes.Unauthenticated, codes.Unavailable} {
		t.Run(code.String(), func(t *testing.T) {
			log, r := &safeLog{}, newReceiver()
			r.judge = func([]string) (*collogspb.ExportLogsServiceResponse, error) {
				return nil, status.Errorf(code, "you sent %v and +4930123456", r.headers)
			}
			e := newLogs(t, Settings{
				Endpoint: r.serveGRPC(t, nil), GRPC: true,
				Headers: Headers{"x-token": text("t0p-s3cret-token"), "authorization": text("Basic dXNlcjpodW50ZXIy")},
			}, parts{
				outbox: newOutbox(batch(1, "a")), count: new(tally).count,
				logger: slog.New(slog.NewTextHandler(log, nil)),
			})
			closing(t, e)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- e.Run(ctx) }()
			<-r.got
			if code != codes.InvalidArgument {
				<-r.got // a second try: the first was judged and logged
			}
			r.mu.Lock()
			r.judge = nil
			if got := r.headers[0]; got.Get("X-Token") != "t0p-s3cret-token" ||
				got.Get("Authorization") != "Basic dXNlcjpodW50ZXIy" {
				t.Errorf("metadata %v", got)
			}
			r.mu.Unlock()
			cancel()
			if err := <-done; err != nil {
				t.Errorf("run: %v", err)
			}
			checkNoSecret(t, "the log", log.String())
			checkNoSecret(t, "the status", fmt.Sprintf("%+v", e.Status()))
			if !strings.Contains(log.String(), code.String()) {
				t.Errorf("the log doesn't say %s:\n%s", code, log)
			}
		})
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
		stop := r.started(t)
		elapse(time.Minute)
		stop()
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
	r.drain(t)
}
