package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"
)

// DefaultShutdownTimeout is how long requests in hand are waited for.
const DefaultShutdownTimeout = 5 * time.Second

// ServeSettings are what Serve needs.
type ServeSettings struct {
	// Listeners are served and, in the end, closed: Serve owns them.
	Listeners []net.Listener
	Handler   http.Handler
	// WebConfigFile is the file of TLS, basic auth, headers and rate limit that all
	// exporters take; empty: plain HTTP for everybody. It is read again with each
	// connection and request. A rate limit holds for each listener by itself.
	WebConfigFile string
	// Logger is told what is listened on and of connections that fail; nil: nobody is.
	Logger *slog.Logger
	// ShutdownTimeout is how long requests in hand are waited for when the context
	// ends, before they are cut off; 0: DefaultShutdownTimeout.
	ShutdownTimeout time.Duration
	// Public says that strangers reach it: they get less time and room and so many
	// connections at once, and one that can't agree on TLS is nothing to warn of.
	Public bool
}

// Serve answers requests until the context ends, waits for those in hand and
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

// newServer makes the server of one listener. They don't share one, because the
// toolkit writes to the server that it is given when it begins to serve.
func newServer(handler http.Handler, bounds bounds, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: bounds.readHeader,
		ReadTimeout:       bounds.read,
		WriteTimeout:      bounds.write,
		IdleTimeout:       bounds.idle,
		MaxHeaderBytes:    bounds.headerBytes,
		ErrorLog:          slog.NewLogLogger(connectionLog{logger.Handler(), bounds.handshakes}, slog.LevelWarn),
	}
}

func serve(listener net.Listener, server *http.Server, webConfigFile string, logger *slog.Logger) error {
	err := web.Serve(listener, server, &web.FlagConfig{WebConfigFile: &webConfigFile}, logger)
	if err == nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve on %s: %w", listener.Addr(), redactError(err))
}

// shutDown lets requests in hand end, for so long, and then cuts them off.
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
		logger.Warn("requests were cut off", "after", timeout, "err", err)
	}
	closeAll(servers)
}
