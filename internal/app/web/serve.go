package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

const (
	// DefaultShutdownTimeout is how long requests may take to finish at shutdown.
	DefaultShutdownTimeout = 5 * time.Second
	// publicConnections may be open at once on a public listener, and more wait.
	publicConnections = 500
	// publicLines may be logged at once of a public listener, then one in ten seconds.
	publicLines = 50
)

// ServeSettings are what Serve needs.
type ServeSettings struct {
	// Listeners are served and, in the end, closed: Serve owns them.
	Listeners []net.Listener
	Handler   http.Handler
	// WebConfigFile is exporter-toolkit's file (TLS, basic auth, headers, rate limit per listener), which is
	// read again with each connection and request; empty: plain HTTP without authentication.
	WebConfigFile string
	// Logger gets the addresses listened on and failed connections, without values of the web configuration file.
	Logger *slog.Logger
	// ShutdownTimeout is how long requests may take to finish when the context ends; 0: DefaultShutdownTimeout.
	ShutdownTimeout time.Duration
	// Public listeners get shorter timeouts and a limit of connections, and log failed TLS handshakes at debug level.
	Public bool
}

// Listen opens a TCP listener for each address. If one can't be opened, those before it are closed
// and the error names the address.
func Listen(ctx context.Context, addresses []string) (listeners []net.Listener, err error) {
	var config net.ListenConfig
	for _, address := range addresses {
		listener, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			closeAll(listeners)
			return nil, fmt.Errorf("listen on %q: %w", address, err)
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

// closeAll closes what may be closed already.
func closeAll(listeners []net.Listener) {
	for _, listener := range listeners {
		_ = listener.Close()
	}
}

// Serve answers requests until the context ends, finishes those in progress and returns nil. If the
// web configuration file is invalid or a listener fails, all stop and the error says why. The
// listeners are closed in every case.
func Serve(ctx context.Context, settings ServeSettings) error {
	defer closeAll(settings.Listeners)
	log := serverLog{Handler: settings.Logger.Handler()}
	if settings.Public {
		log.limit = rate.NewLimiter(rate.Every(10*time.Second), publicLines)
	}
	settings.Logger = slog.New(log)
	if settings.WebConfigFile != "" {
		settings.Handler = newUsersGuard(settings.Handler, settings.WebConfigFile, settings.Logger)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, listener := range settings.Listeners {
		server := newServer(&settings)
		if settings.Public {
			listener = netutil.LimitListener(listener, publicConnections)
		}
		group.Go(func() error { return serve(listener, server, &settings) })
		group.Go(func() error {
			<-ctx.Done()
			shutDown(context.WithoutCancel(ctx), server, &settings)
			return nil
		})
	}
	return group.Wait()
}

// newServer makes the server of one listener; the toolkit changes it, so that listeners can't share one.
func newServer(settings *ServeSettings) *http.Server {
	s := &http.Server{
		Handler: settings.Handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		IdleTimeout:    2 * time.Minute,
		WriteTimeout:   5 * time.Minute, // Prometheus may be slow to take many series
		MaxHeaderBytes: 32 << 10,
		ErrorLog:       slog.NewLogLogger(settings.Logger.Handler(), slog.LevelWarn),
	}
	if settings.Public { // clients that stall or keep idle connections take the room of others
		s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout = 2*time.Second, 15*time.Second,
			30*time.Second, 2*time.Second
	}
	return s
}

func serve(listener net.Listener, server *http.Server, settings *ServeSettings) error {
	err := web.Serve(listener, server, &web.FlagConfig{WebConfigFile: &settings.WebConfigFile}, settings.Logger)
	if err == nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve on %s: %w", listener.Addr(), redactError(err))
}

// shutDown lets requests finish within the timeout, and then closes their connections.
func shutDown(ctx context.Context, server *http.Server, settings *ServeSettings) {
	timeout := cmp.Or(settings.ShutdownTimeout, DefaultShutdownTimeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		settings.Logger.Warn("Requests were cut off at shutdown", "after", timeout, "err", err)
		_ = server.Close()
	}
}
