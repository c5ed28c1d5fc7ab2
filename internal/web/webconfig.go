package web

import (
	"errors"
	"fmt"
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

// redactError removes values of the web configuration file from an error. An error of bcrypt says that a password isn't hashed.
func redactError(err error) error {
	text := err.Error()
	if strings.Contains(text, "crypto/bcrypt") {
		return errors.New("basic_auth_users: a password is not a bcrypt hash; make one, for example with `htpasswd -nB USER`")
	}
	if redacted := quoted.ReplaceAllString(text, "${1}<value>"); redacted != text {
		return errors.New(redacted)
	}
	return err
}
