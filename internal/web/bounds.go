package web

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

// bounds are what clients may cost.
type bounds struct {
	// readHeader, read and write are how long one may take over its request and the
	// answer, idle is how long a connection without requests is kept.
	readHeader, read, write, idle time.Duration
	// headerBytes is how large a request's header may be.
	headerBytes int
	// connections are how many there may be at once; 0: any number. More wait until
	// one ends. perAddress are how many of them one address may have: more are closed at once.
	connections, perAddress int
	// handshakes is how loud it is told that a client and we don't agree on TLS.
	handshakes slog.Level
}

// boundsOf are those of our own clients, or of strangers.
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

// listener accepts as many connections as the bounds allow.
func (b bounds) listener(l net.Listener) net.Listener {
	if b.connections == 0 {
		return l
	}
	return netutil.LimitListener(&fairListener{Listener: l, most: b.perAddress, open: make(map[string]int)}, b.connections)
}

// fairListener lets no address have more than so many connections, so that none takes all the room.
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
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String()) // what can't be split is one address
		if l.enter(host) {
			return &fairConn{Conn: c, leave: sync.OnceFunc(func() { l.leave(host) })}, nil
		}
		_ = c.Close() // nothing was read from it
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

// fairConn is a connection that counts until it is closed.
type fairConn struct {
	net.Conn

	leave func()
}

// Close implements net.Conn.
func (c *fairConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// connectionLog is a slog.Handler for what net/http has to say of connections.
type connectionLog struct {
	slog.Handler

	handshakes slog.Level
}

// Handle implements slog.Handler.
func (c connectionLog) Handle(ctx context.Context, record slog.Record) error {
	if strings.HasPrefix(record.Message, "http: TLS handshake error") {
		record.Level = c.handshakes
	}
	if !c.Enabled(ctx, record.Level) {
		return nil
	}
	return c.Handler.Handle(ctx, record)
}
