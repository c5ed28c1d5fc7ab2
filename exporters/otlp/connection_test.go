package otlp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, open := <-p
	if !open {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (pipes) Close() error   { return nil }
func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

// lossy is a connection that may lose all that is sent.
type lossy struct {
	net.Conn

	loses atomic.Bool
}

func (l *lossy) Write(b []byte) (int, error) {
	if l.loses.Load() {
		return len(b), nil
	}
	return l.Conn.Write(b)
}

// A connection whose other end has gone without a word is given up. Over HTTP/2 a request that gets
// no answer doesn't end its connection, and the next requests would be sent on it too.
func TestDeadConnectionIsGivenUp(t *testing.T) {
	secured, trusting := serverTLS(t)
	synctest.Test(t, func(t *testing.T) {
		clients := make(pipes)
		var protocol atomic.Value
		server := &http.Server{
			TLSConfig: secured,
			Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				protocol.Store(r.Proto)
				_, _ = io.Copy(io.Discard, r.Body)
			}),
		}
		go func() { _ = server.ServeTLS(clients, "", "") }()
		u := newHTTPUploader(Settings{Endpoint: "https://127.0.0.1/v1/logs", TLS: trusting})
		base := u.client.Transport.(*transport).base.(*http.Transport)
		var last *lossy
		base.DialContext = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			clients <- theirs
			last = &lossy{Conn: ours}
			return last, nil
		}
		upload := func() answerKind {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			return u.upload(ctx, []byte{}).kind
		}
		if kind := upload(); kind != accepted || protocol.Load() != "HTTP/2.0" {
			t.Fatalf("answer %v over %v", kind, protocol.Load())
		}
		last.loses.Store(true)
		began := time.Now()
		for upload() != accepted && time.Since(began) < time.Hour {
		}
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("nothing got through for %s", took)
		}
		base.CloseIdleConnections()
		close(clients)
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestDeliver: what takes requests in place of an endpoint gets them as they are, and its errors mean what they say.
func TestDeliver(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want answerKind
	}{
		"accepted": {nil, accepted},
		"refused":  {Refused("no"), refused},
		"not now":  {errors.New("no"), retry},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			u := newHTTPUploader(Settings{
				Endpoint: "http://localhost/v1/logs", Uncompressed: true,
				Deliver: func(_ context.Context, request []byte) error {
					got = string(request)
					return c.err
				},
			})
			if a := u.upload(t.Context(), []byte("request")); a.kind != c.want || got != "request" {
				t.Errorf("it got %q, and the answer is %d, want %d", got, a.kind, c.want)
			}
		})
	}
}
