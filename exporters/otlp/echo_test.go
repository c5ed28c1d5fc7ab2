package otlp

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestNoSecretOfHeaders: a server that isn't gRPC, or a broken one, repeats a request's header in its own.
func TestNoSecretOfHeaders(t *testing.T) {
	for name, set := range map[string]func(h http.Header, sent string){
		"content type": func(h http.Header, sent string) { h.Set("Content-Type", sent) },
		"status": func(h http.Header, sent string) {
			h.Set("Content-Type", "application/grpc")
			h.Set("Grpc-Status", sent)
		},
		"message": func(h http.Header, sent string) {
			h.Set("Content-Type", "application/grpc")
			h.Set("Grpc-Status", "14")
			h.Set("Grpc-Message", sent)
		},
		"binary metadata": func(h http.Header, sent string) {
			h.Set("Content-Type", "application/grpc")
			h.Set("X-Bin", sent)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				set(w.Header(), r.Header.Get("Authorization"))
			}))
			server.Config.Protocols = new(http.Protocols)
			server.Config.Protocols.SetUnencryptedHTTP2(true)
			server.Start()
			defer server.Close()
			conn, err := dial(Settings{
				Endpoint: server.URL, GRPC: true,
				Headers: Headers{"authorization": text("Basic dXNlcjpodW50ZXIy")},
			})
			if err != nil {
				t.Fatal(err)
			}
			closing(t, conn)
			got := grpcUploader{conn, exportLogs}.upload(t.Context(), requestOf(t, "a"))
			checkNoSecret(t, "the problem", got.problem)
			if got.problem == "" {
				t.Error("no problem")
			}
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
