package web

import (
	"context"
	"log/slog"
	"net"
	"strings"
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
	// one ends.
	connections int
	// handshakes is how loud it is told that a client and we don't agree on TLS.
	handshakes slog.Level
}

// boundsOf are those of our own clients, or of strangers.
func boundsOf(public bool) bounds {
	if public {
		return bounds{
			readHeader: 5 * time.Second, read: 15 * time.Second, write: 30 * time.Second, idle: 30 * time.Second,
			headerBytes: 16 << 10, connections: 500, handshakes: slog.LevelDebug,
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
	return netutil.LimitListener(l, b.connections)
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
