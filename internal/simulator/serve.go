package simulator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Listener is an HTTP or HTTPS server on loopback.
type Listener struct {
	server   *http.Server
	listener net.Listener
	scheme   string
	done     sync.WaitGroup
}

// connKey finds a request's connection in its context.
type connKey struct{}

// Serve listens on an address and answers with the handler, over TLS if there is a certificate.
func Serve(address string, certificate *tls.Certificate, handler http.Handler) (*Listener, error) {
	listener, err := net.Listen("tcp", address) //nolint:noctx // A listener outlives any request.
	if err != nil {
		return nil, fmt.Errorf("listen for simulated provider: %w", err)
	}
	l := &Listener{listener: listener, scheme: "http", server: &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: time.Minute,
		// What clients break off, on purpose in tests, is of no interest.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}}
	if certificate != nil {
		l.scheme = "https"
		l.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12}
	}
	l.done.Go(func() {
		serve := l.server.Serve
		if certificate != nil {
			serve = func(open net.Listener) error { return l.server.ServeTLS(open, "", "") }
		}
		if err := serve(listener); !errors.Is(err, http.ErrServerClosed) {
			_ = listener.Close()
		}
	})
	return l, nil
}

// URL is the server's base URL, without a slash at its end.
func (l *Listener) URL() string { return l.scheme + "://" + l.listener.Addr().String() }

// Close ends the server and its connections. It may be called twice.
func (l *Listener) Close() {
	// What is open is cut off: a test that ends doesn't wait.
	_ = l.server.Close()
	l.done.Wait()
}

// reset closes a request's connection with an RST.
func reset(r *http.Request) {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
		_ = t.Close()
	}
	panic(http.ErrAbortHandler)
}
