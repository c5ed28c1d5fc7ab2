package web

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	"github.com/prometheus/exporter-toolkit/web"
)

// ValidateConfigFile checks a web configuration file (TLS, basic auth) and the
// certificates that it names. The error holds none of the file's values. An empty
// name is valid.
func ValidateConfigFile(name string) error {
	if err := web.Validate(name); err != nil {
		return fmt.Errorf("web configuration file %s: %w", name, redactError(err))
	}
	return nil
}

// quoted is a value of the file in an error of the YAML library; it may be a
// password in the wrong place, or one that begins with an asterisk.
var quoted = regexp.MustCompile("(?s)`.*`|(anchor )'.*'")

// redactText removes values of the web configuration file.
func redactText(text string) string { return quoted.ReplaceAllString(text, "${1}<value>") }

// redactError is redactText for an error. An error of bcrypt says that a password
// isn't hashed.
func redactError(err error) error {
	text := err.Error()
	if strings.Contains(text, "crypto/bcrypt") {
		return errors.New("basic_auth_users: a password is not a bcrypt hash; make one, for example with `htpasswd -nB USER`")
	}
	if redacted := redactText(text); redacted != text {
		return errors.New(redacted)
	}
	return err
}

// redacting is the logger for the toolkit and for net/http, which log errors of
// the web configuration file when it has become invalid while it is served.
func redacting(logger *slog.Logger) *slog.Logger {
	return filterLog(logger, func(record slog.Record) (slog.Record, bool) {
		clean := slog.NewRecord(record.Time, record.Level, redactText(record.Message), record.PC)
		record.Attrs(func(attr slog.Attr) bool {
			if err, ok := attr.Value.Any().(error); ok {
				attr = slog.String(attr.Key, err.Error())
			}
			if attr.Value.Kind() == slog.KindString {
				attr = slog.String(attr.Key, redactText(attr.Value.String()))
			}
			clean.AddAttrs(attr)
			return true
		})
		return clean, true
	})
}
