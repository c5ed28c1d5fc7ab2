package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"
)

// DefaultShutdownTimeout is how long requests may take to finish at shutdown.
const DefaultShutdownTimeout = 5 * time.Second

// ServeSettings are what Serve needs.
type ServeSettings struct {
	// Listeners are served and, in the end, closed: Serve owns them.
	Listeners []net.Listener
	Handler   http.Handler
	// WebConfigFile is exporter-toolkit's file (TLS, basic auth, headers, rate limit per listener), which is
	// read again with each connection and request; empty: plain HTTP without authentication.
	WebConfigFile string
	// Logger gets the addresses listened on and failed connections; nil: nothing is logged.
	Logger *slog.Logger
	// ShutdownTimeout is how long requests may take to finish when the context ends; 0: DefaultShutdownTimeout.
	ShutdownTimeout time.Duration
	// Public listeners get shorter timeouts, smaller headers and a limit of connections, and log failed
	// handshakes at debug level.
	Public bool
}

// Serve answers requests until the context ends, finishes those in progress and
// returns nil. If the web configuration file is invalid or a listener fails, all
// stop and the error says why. The listeners are closed in every case.
func Serve(ctx context.Context, settings ServeSettings) error {
	defer closeAll(settings.Listeners)
	if len(settings.Listeners) == 0 || settings.Handler == nil {
		return errors.New("serve: a listener and a handler are needed")
	}
	if err := ValidateConfigFile(settings.WebConfigFile); err != nil {
		return err
	}
	logger, bounds := redacting(settings.Logger), boundsOf(settings.Public)
	servers := make([]*http.Server, len(settings.Listeners))
	group, ctx := errgroup.WithContext(ctx)
	for i, listener := range settings.Listeners {
		servers[i] = newServer(settings.Handler, bounds, logger)
		group.Go(func() error { return serve(bounds.listener(listener), servers[i], settings.WebConfigFile, logger) })
	}
	group.Go(func() error {
		<-ctx.Done()
		shutDown(context.WithoutCancel(ctx), servers, settings.ShutdownTimeout, logger)
		return nil
	})
	return group.Wait()
}

// newServer makes the server of one listener; the toolkit changes it, so that listeners can't share one.
func newServer(handler http.Handler, bounds bounds, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: bounds.readHeader,
		ReadTimeout:       bounds.read,
		WriteTimeout:      bounds.write,
		IdleTimeout:       bounds.idle,
		MaxHeaderBytes:    bounds.headerBytes,
		ErrorLog:          slog.NewLogLogger(connectionLog(logger, bounds.handshakes).Handler(), slog.LevelWarn),
	}
}

// connectionLog logs failed TLS handshakes at a level of their own.
func connectionLog(logger *slog.Logger, handshakes slog.Level) *slog.Logger {
	return filterLog(logger, func(record slog.Record) (slog.Record, bool) {
		if strings.HasPrefix(record.Message, "http: TLS handshake error") {
			record.Level = handshakes
		}
		return record, true
	})
}

func serve(listener net.Listener, server *http.Server, webConfigFile string, logger *slog.Logger) error {
	err := web.Serve(listener, server, &web.FlagConfig{WebConfigFile: &webConfigFile}, logger)
	if err == nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve on %s: %w", listener.Addr(), redactError(err))
}

// shutDown lets requests finish within the timeout, and then closes their connections.
func shutDown(ctx context.Context, servers []*http.Server, timeout time.Duration, logger *slog.Logger) {
	if timeout <= 0 {
		timeout = DefaultShutdownTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var group errgroup.Group
	for _, server := range servers {
		group.Go(func() error { return server.Shutdown(ctx) })
	}
	if err := group.Wait(); err != nil {
		logger.Warn("Requests were cut off at shutdown.", "after", timeout, "err", err)
	}
	closeAll(servers)
}
