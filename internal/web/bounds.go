package web

import (
	"log/slog"
	"net"
	"time"

	"golang.org/x/net/netutil"
)

// bounds limit what clients cost.
type bounds struct {
	// Timeouts of a request's header, the request, its answer and idle connections.
	readHeader, read, write, idle time.Duration
	headerBytes                   int
	// connections may be open at once, and more wait; 0: no limit.
	connections int
	// handshakes is the log level of failed TLS handshakes.
	handshakes slog.Level
}

// boundsOf returns those of the metrics port, or of the public listener.
func boundsOf(public bool) bounds {
	if public {
		return bounds{
			readHeader: 2 * time.Second, read: 15 * time.Second, write: 30 * time.Second, idle: 30 * time.Second,
			headerBytes: 16 << 10, connections: 500, handshakes: slog.LevelDebug,
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
	return netutil.LimitListener(l, b.connections)
}
