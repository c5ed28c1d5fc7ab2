package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	"github.com/prometheus/exporter-toolkit/web"
)

// ValidateConfigFile reads a web configuration file (TLS, basic auth) and the
// certificates that it names. An error says what is wrong, and holds none of the
// file's values. An empty name is no file and no error.
func ValidateConfigFile(name string) error {
	if err := web.Validate(name); err != nil {
		return fmt.Errorf("web configuration file %s: %w", name, redactError(err))
	}
	return nil
}

// quoted is a value of the file in an error of the YAML library: it may be a
// password that stands where something else should, or begins with an asterisk.
var quoted = regexp.MustCompile("(?s)`.*`|(anchor )'.*'")

// redactText removes values of the web configuration file.
func redactText(text string) string { return quoted.ReplaceAllString(text, "${1}<value>") }

// redactError removes values of the web configuration file, and says in plain
// words that a password isn't hashed. An error that holds none stays as it is.
func redactError(err error) error {
	text := err.Error()
	if strings.Contains(text, "crypto/bcrypt") {
		return errors.New("basic_auth_users: a password is no bcrypt hash; make one, such as with `htpasswd -nB USER`")
	}
	if redacted := redactText(text); redacted != text {
		return errors.New(redacted)
	}
	return err
}

// redacting is the logger for the toolkit and for net/http, which log errors of
// the web configuration file when it has become invalid while it is served.
func redacting(logger *slog.Logger) *slog.Logger {
	if logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(redactor{logger.Handler()})
}

// redactor is a slog.Handler that removes quoted values from messages and texts.
type redactor struct{ slog.Handler }

// Handle implements slog.Handler.
func (r redactor) Handle(ctx context.Context, record slog.Record) error {
	clean := slog.NewRecord(record.Time, record.Level, redactText(record.Message), record.PC)
	record.Attrs(func(attr slog.Attr) bool {
		clean.AddAttrs(redactAttr(attr))
		return true
	})
	return r.Handler.Handle(ctx, clean)
}

// WithAttrs implements slog.Handler.
func (r redactor) WithAttrs(attrs []slog.Attr) slog.Handler {
	return redactor{r.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (r redactor) WithGroup(name string) slog.Handler {
	return redactor{r.Handler.WithGroup(name)}
}

func redactAttr(attr slog.Attr) slog.Attr {
	if err, ok := attr.Value.Any().(error); ok {
		return slog.String(attr.Key, redactText(err.Error()))
	}
	if attr.Value.Kind() == slog.KindString {
		return slog.String(attr.Key, redactText(attr.Value.String()))
	}
	return attr
}
