package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var (
	// substitution is a scalar that is taken from the environment as a whole.
	substitution = regexp.MustCompile(`(?s)^\$\{env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?\}$`)
	// embedded is a substitution inside a longer text.
	embedded = regexp.MustCompile(`\$\{env:([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}`)
)

// expand puts the environment into a scalar: ${env:NAME} is the variable's value,
// ${env:NAME:-default} the default if the variable is not set or empty. $${ at the
// beginning stands for ${. The error holds the variable's name at most.
func expand(text string, lookup func(string) (string, bool)) (value string, fromEnv bool, err error) {
	if strings.HasPrefix(text, "$${") {
		return text[1:], false, nil
	}
	match := substitution.FindStringSubmatchIndex(text)
	switch {
	case match != nil && !strings.Contains(text[1:], "${env:"):
	case embedded.MatchString(text):
		return "", false, errors.New("holds ${env:…} inside a longer text; it must be the whole value")
	case strings.HasPrefix(text, "${"):
		return "", false, errors.New("begins with ${ but is no substitution; write ${env:NAME} or ${env:NAME:-default}, or $${ for a literal ${")
	default:
		return text, false, nil
	}
	name := text[match[2]:match[3]]
	value, set := lookup(name)
	if hasDefault := match[4] >= 0; hasDefault {
		if value == "" {
			value = text[match[4]:match[5]]
		}
		return value, true, nil
	}
	if !set {
		return "", false, fmt.Errorf("environment variable %s is not set; set it, or write ${env:%s:-default}", name, name)
	}
	return value, true, nil
}
