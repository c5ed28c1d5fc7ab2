package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"
)

// isNull reports whether a node is a bare key or a null.
func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// describe says what a node is, for a message. It doesn't repeat a text, which may be a secret in the wrong place.
func describe(n *yaml.Node) string {
	switch {
	case isNull(n):
		return "empty"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}

// errMalformed means that a text isn't of the type that the key wants.
var errMalformed = errors.New("malformed")

// expected says what a value is read from.
func expected(v reflect.Value, at place) string {
	switch v.Addr().Interface().(type) {
	case *Secret:
		if !at.isFile() {
			return "a secret as text"
		}
		return "the name of a file"
	case *File, *Path:
		return "the name of a file"
	case *time.Duration:
		return "a duration such as 30s, 5m, 24h or 2d"
	case encoding.TextUnmarshaler:
		return "a text"
	}
	switch {
	case v.Kind() == reflect.Bool:
		return "true or false without quotes"
	case v.CanInt():
		return "a whole number without quotes"
	}
	return "a text"
}

// decodeScalar decodes a node into a leaf. Neither the content of a secret nor the value of an environment variable gets into a problem.
func (d *decoder) decodeScalar(v reflect.Value, n *yaml.Node, at place) {
	want := expected(v, at)
	switch {
	case isNull(n):
		d.fail(at, "is empty; give %s, or remove the key", want)
		return
	case n.Kind != yaml.ScalarNode:
		d.fail(at, "must be %s, is %s", want, describe(n))
		return
	case !slices.Contains([]string{"!!str", "!!bool", "!!int", "!!float", "!!timestamp", "!!merge"}, n.ShortTag()):
		d.fail(at, "has a YAML tag (!) that is not understood; put the text in quotes if it begins with !")
		return
	}
	expanded := *n
	text, fromEnv, err := expand(n.Value, d.lookupEnv)
	if expanded.Value = text; fromEnv {
		expanded.Style, expanded.Tag = 0, ""
	}
	if err == nil {
		err = d.set(v, &expanded, at, want)
	}
	switch {
	case errors.Is(err, errMalformed):
		d.fail(at, "must be %s, is %s", want, shorten(n.Value))
	case err != nil:
		d.fail(at, "%s", err)
	}
}

// set sets a leaf to a scalar. Its error is errMalformed, or says what would be right.
func (d *decoder) set(v reflect.Value, n *yaml.Node, at place, want string) error {
	switch to := v.Addr().Interface().(type) {
	case *Secret:
		return d.setSecret(to, n.Value, at, want)
	case *File:
		*to = File(d.addFile(n.Value, at))
	case *Path:
		*to = Path(d.resolve(n.Value))
	case *time.Duration:
		return setDuration(to, n.Value)
	case encoding.TextUnmarshaler:
		return to.UnmarshalText([]byte(n.Value))
	default:
		tag := "!!int"
		switch v.Kind() {
		case reflect.String:
			v.SetString(n.Value)
			return nil
		case reflect.Bool:
			tag = "!!bool"
		}
		if n.ShortTag() != tag || n.Decode(to) != nil {
			return errMalformed
		}
	}
	return nil
}

// addFile remembers a file that must be readable and returns its absolute name.
func (d *decoder) addFile(text string, at place) string {
	name := d.resolve(text)
	if name != "" {
		d.files = append(d.files, fileRef{at, name})
	}
	return name
}

// setSecret sets a secret from its text or from the name of its file.
func (d *decoder) setSecret(to *Secret, text string, at place, want string) error {
	switch {
	case text == "":
		return fmt.Errorf("is empty; give %s, or remove the key", want)
	case to.IsSet():
		return errors.New("is given twice, as text and as a file; keep one of them")
	case at.isFile():
		*to = NewSecretFile(d.addFile(text, at))
	default:
		*to = NewSecret(text)
	}
	return nil
}

// setDuration reads 5m, 2d, 1h30m, 1.5h, and negative ones, which are then reported as out of range.
func setDuration(to *time.Duration, text string) error {
	if d, err := model.ParseDuration(text); err == nil {
		*to = time.Duration(d)
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return errMalformed
	}
	*to = d
	return nil
}

var (
	// substitution is a scalar that is taken from the environment as a whole.
	substitution = regexp.MustCompile(`(?s)^\$\{env:([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?\}$`)
	// embedded is a substitution inside a longer text.
	embedded = regexp.MustCompile(`\$\{env:([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}`)
)

// expand puts the environment into a scalar: ${env:NAME} is the variable's value, ${env:NAME:-default} the default if the variable is
// not set or empty. $${ at the beginning stands for ${. The error holds the variable's name at most.
func expand(text string, lookup func(string) (string, bool)) (value string, fromEnv bool, err error) {
	if strings.HasPrefix(text, "$${") {
		return text[1:], false, nil
	}
	match := substitution.FindStringSubmatch(text)
	switch {
	case match != nil && !strings.Contains(text[1:], "${env:"):
	case embedded.MatchString(text):
		return "", false, errors.New("holds ${env:…} inside a longer text; it must be the whole value")
	case strings.HasPrefix(text, "${"):
		return "", false, errors.New("begins with ${ but is no substitution; write ${env:NAME} or ${env:NAME:-default}, or $${ for a literal ${")
	default:
		return text, false, nil
	}
	name, hasDefault := match[1], match[2] != ""
	value, set := lookup(name)
	switch {
	case hasDefault && value == "":
		value = match[3]
	case !hasDefault && !set:
		return "", false, fmt.Errorf("environment variable %s is not set; set it, or write ${env:%s:-default}", name, name)
	}
	return value, true, nil
}
