package web

import (
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

// bounds limit what clients cost.
type bounds struct {
	// Timeouts of a request's header, the request, its answer and idle connections.
	readHeader, read, write, idle time.Duration
	headerBytes                   int
	// connections may be open at once, and more wait; perAddress of them from one address, and more are closed.
	// 0: no limit.
	connections, perAddress int
	// handshakes is the log level of failed TLS handshakes.
	handshakes slog.Level
}

// boundsOf returns those of the metrics port, or of the public listener.
func boundsOf(public bool) bounds {
	if public {
		return bounds{
			readHeader: 2 * time.Second, read: 15 * time.Second, write: 30 * time.Second, idle: 30 * time.Second,
			headerBytes: 16 << 10, connections: 500, perAddress: 200, handshakes: slog.LevelDebug,
		}
	}
	return bounds{
		// Prometheus may be slow to take many series.
		readHeader: 10 * time.Second, read: 30 * time.Second, write: 5 * time.Minute, idle: 2 * time.Minute,
		headerBytes: 64 << 10, handshakes: slog.LevelWarn,
	}
}

// listener limits the connections of a listener.
func (b bounds) listener(l net.Listener) net.Listener {
	if b.connections == 0 {
		return l
	}
	return netutil.LimitListener(&fairListener{Listener: l, most: b.perAddress, open: make(map[string]int)}, b.connections)
}

// fairListener limits the connections of each address, so that none can take all of them.
type fairListener struct {
	net.Listener

	most int
	mu   sync.Mutex
	open map[string]int // guarded by mu; by address
}

// Accept implements net.Listener.
func (l *fairListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		if l.enter(host) {
			return &fairConn{Conn: c, leave: sync.OnceFunc(func() { l.leave(host) })}, nil
		}
		_ = c.Close()
	}
}

func (l *fairListener) enter(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[host] >= l.most {
		return false
	}
	l.open[host]++
	return true
}

func (l *fairListener) leave(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[host]--; l.open[host] == 0 {
		delete(l.open, host)
	}
}

// fairConn counts until it is closed.
type fairConn struct {
	net.Conn

	leave func()
}

// Close implements net.Conn.
func (c *fairConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
