package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/time/rate"
	"gopkg.in/yaml.v3"
)

// ValidateConfigFile checks a web configuration file (TLS, basic auth), if it has a name, and its
// certificates. The error holds none of its values.
func ValidateConfigFile(name string) error {
	if err := web.Validate(name); err != nil {
		return fmt.Errorf("web configuration file %s: %w", name, redactError(err))
	}
	return nil
}

// HasTLS reports whether a valid web configuration file has the server's certificate.
func HasTLS(name string) bool {
	var c web.Config
	text, err := os.ReadFile(name)
	return err == nil && yaml.Unmarshal(text, &c) == nil && c.TLSConfig.TLSCert+c.TLSConfig.TLSCertPath != ""
}

// quoted is a value of the file in an error of the YAML library: a password in the wrong place, or
// one that begins with an asterisk.
var quoted = regexp.MustCompile("(?s)`.*`|(anchor )'.*'")

// redactText removes values of the web configuration file.
func redactText(text string) string { return quoted.ReplaceAllString(text, "${1}<value>") }

// redactError is redactText for an error. One of bcrypt says that a password isn't hashed.
func redactError(err error) error {
	text := err.Error()
	if strings.Contains(text, "crypto/bcrypt") {
		return errors.New("basic_auth_users: a password is not a bcrypt hash; make one, for example with " +
			"`htpasswd -nB USER`")
	}
	if redacted := redactText(text); redacted != text {
		return errors.New(redacted)
	}
	return err
}

// serverLog is the log of the toolkit and of net/http, without values of the web configuration
// file, which may have become invalid meanwhile.
type serverLog struct {
	slog.Handler

	limit *rate.Limiter // of a public server, since strangers decide how often it logs; nil: all is logged
}

// fromProbe is what net/http logs of a probe that only looks whether the port is open, and of the
// healthcheck command, which has no client certificate: they come every half minute or so.
var fromProbe = regexp.MustCompile(`^http: TLS handshake error from ` +
	`(.*: EOF|(127\.0\.0\.1|\[::1\]):[0-9]+: tls: client didn't provide a certificate)$`)

// Handle implements slog.Handler.
func (l serverLog) Handle(ctx context.Context, record slog.Record) error {
	clean := slog.NewRecord(record.Time, record.Level, redactText(record.Message), record.PC)
	record.Attrs(func(attr slog.Attr) bool {
		clean.AddAttrs(slog.String(attr.Key, redactText(attr.Value.String())))
		return true
	})
	if l.limit != nil && strings.HasPrefix(record.Message, "http: TLS handshake error") ||
		fromProbe.MatchString(record.Message) {
		clean.Level = slog.LevelDebug // a public port is scanned
	}
	if !l.Enabled(ctx, clean.Level) || l.limit != nil && !l.limit.Allow() {
		return nil
	}
	return l.Handler.Handle(ctx, clean)
}

// WithAttrs implements slog.Handler.
func (l serverLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return serverLog{l.Handler.WithAttrs(attrs), l.limit}
}

// WithGroup implements slog.Handler.
func (l serverLog) WithGroup(name string) slog.Handler {
	return serverLog{l.Handler.WithGroup(name), l.limit}
}

// usersGuard refuses requests when a web configuration file that had users has none any more, for
// instance while an editor has emptied it: exporter-toolkit would let everyone in. An explicit
// `basic_auth_users: {}` is intended and accepted.
type usersGuard struct {
	next   http.Handler
	file   string
	logger *slog.Logger
	had    atomic.Bool    // users
	lost   rate.Sometimes // limits the log
}

func newUsersGuard(next http.Handler, file string, logger *slog.Logger) *usersGuard {
	g := &usersGuard{next: next, file: file, logger: logger, lost: rate.Sometimes{Interval: time.Minute}}
	g.areLost() // notes the users that it begins with
	return g
}

// ServeHTTP implements http.Handler.
func (g *usersGuard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.areLost() {
		g.next.ServeHTTP(w, r)
		return
	}
	g.lost.Do(func() {
		g.logger.Error("The web configuration file has no users any more, so all requests are refused. "+
			"Restore its basic_auth_users, or write `basic_auth_users: {}` to let everyone in", "file",
			g.file)
	})
	http.Error(w, "Unauthorized", http.StatusUnauthorized)
}

// areLost says whether the file had users and now has none, without saying so explicitly.
func (g *usersGuard) areLost() bool {
	var c struct {
		Users map[string]string `yaml:"basic_auth_users"`
	}
	text, err := os.ReadFile(g.file)
	if err != nil || yaml.Unmarshal(text, &c) != nil {
		return g.had.Load() // the toolkit refuses the request that finds it so
	}
	if c.Users != nil { // {} is a map; without the key, or with nothing behind it, there is none
		g.had.Store(len(c.Users) > 0)
		return false
	}
	return g.had.Load()
}
