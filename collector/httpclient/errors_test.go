package httpclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"
)

func textLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// Nothing that was sent or received appears in an error, however it is printed. TestDescribe has further errors of the
// transport.
func TestErrorsHoldNoSecrets(t *testing.T) {
	leak := &url.Error{Op: "Get", URL: "https://api.example/x?appid=secret", Err: errBroken}
	cut := io.MultiReader(strings.NewReader("{"),
		readerFunc(func([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }))
	for _, test := range []struct {
		name   string
		url    string
		answer reply
		use    func([]byte) error
	}{
		{name: "url.Error", url: "/x?appid=secret", answer: fails(leak)},
		{name: "url.Error in another", url: "/x?appid=secret", answer: fails(fmt.Errorf("proxy: %w", leak))},
		{name: "401", url: "/x?secret", answer: replies(401, "secret", "Www-Authenticate: Bearer secret")},
		{name: "403", url: "/x?secret", answer: replies(403, "secret", "Set-Cookie: secret")},
		{name: "500", url: "/x?secret#secret", answer: replies(500, "secret")},
		{
			name: "redirect", url: "/x?secret",
			answer: replies(302, "secret", "Location: https://secret:secret@evil.example/secret"),
		},
		{name: "redirect to nonsense", url: "/x?secret", answer: replies(302, "", "Location: https://%secret/")},
		{name: "HTML", url: "/x?secret", answer: replies(200, "<secret>")},
		{name: "hostile link", url: "https://evil.example/secret?secret"},
		{name: "user information", url: "https://secret:secret@api.example/"},
		{name: "unreadable link", url: "https://api.example/%secret"},
		{name: "cut", url: "/x?secret", answer: reply{status: 200, reader: cut}, use: readAll(new(string))},
		{
			name: "too large", url: "/x?secret", answer: replies(200, strings.Repeat("secret", 100)),
			use: readAll(new(string)),
		},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			var log strings.Builder
			transport, _ := script(test.answer)
			client := newTest(t, transport, func(s *Settings) {
				s.Token = tokenFunc(func() string { return "secret" })
				s.Logger = textLogger(&log)
			})
			request := Request{Feed: "pstn", URL: test.url, ExpectJSON: true, MaxBody: 100}
			err := client.Fetch(t.Context(), request, test.use)
			if err == nil {
				t.Fatal("no error")
			}
			e, _ := errors.AsType[*Error](err)
			var attr strings.Builder
			slog.New(slog.NewJSONHandler(&attr, nil)).Error("x", "error", err, "any", any(e))
			for _, text := range []string{
				err.Error(), fmt.Sprintf("%v %+v %q", err, err, err), fmt.Sprintf("%v %+v %#v %s", e, e, e, e),
				attr.String(), log.String(),
			} {
				if strings.Contains(text, "secret") {
					t.Errorf("secret in %s", text)
				}
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"connection", refused, "dial tcp: connection refused"},
		{"proxy", fmt.Errorf("proxy with secret: %w", refused), "dial tcp: connection refused"},
		{"look-up", &net.DNSError{Err: "no such host", Name: "api.example"}, "lookup api.example: no such host"},
		{"end", io.EOF, "connection closed"},
		{"cut", fmt.Errorf("read: %w", io.ErrUnexpectedEOF), "cut short"},
		{"own words", errors.New("net/http: server closed idle connection"), "net/http: server closed idle connection"},
		{"quotes", errors.New(`malformed HTTP response "secret"`), "malformed HTTP response (...)"},
		{"nothing but a quote", errors.New(`"secret"`), "(...)"},
		{"lines", errors.New("first\nsecret"), "first (...)"},
		{"long", errors.New(strings.Repeat("x", 400)), strings.Repeat("x", 300) + " (...)"},
		{"malformed", textproto.ProtocolError("secret"), "malformed answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Describe(test.err); got != test.want {
				t.Errorf("Describe = %q, want %q", got, test.want)
			}
		})
	}
}

func TestErrorHelpers(t *testing.T) {
	plain := errors.New("plain")
	if Retryable(nil) != nil {
		t.Error("Retryable(nil) isn't nil")
	}
	marked := fmt.Errorf("decode page: %w", Retryable(plain))
	if !IsRetryable(marked) || !errors.Is(marked, plain) || marked.Error() != "decode page: plain" {
		t.Errorf("marked: %v", marked)
	}
	if IsRetryable(plain) || IsRetryable(nil) || KindOf(plain) != "" || RetryAfter(plain) != 0 || RetryAfter(nil) != 0 {
		t.Error("a plain error says something")
	}
	if got := RetryAfter(Retryable(&Error{RetryAfter: time.Minute})); got != time.Minute {
		t.Errorf("a marked error's own wait is %v, want 1m", got)
	}
	if got := redact(&url.URL{Path: strings.Repeat("/x", 150)}); len(got) != len("://")+maxPath+len("...") {
		t.Errorf("a long path is %s", got)
	}
	if IsRetryable(&Error{Kind: "new"}) {
		t.Error("an unknown kind is retryable")
	}
	text, err := json.Marshal(&Error{Kind: KindServer, target: "calls", reason: "x", Body: []byte("secret")})
	if err != nil || strings.Contains(string(text), "secret") || strings.Contains(string(text), "c2VjcmV0") {
		t.Errorf("as JSON: %s, %v", text, err)
	}
}
