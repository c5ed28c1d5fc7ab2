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

// describe describes a node for a message. It doesn't repeat a text, which may be a secret in the
// wrong place.
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

// expected describes the text that a value is read from.
func expected(v reflect.Value, at place) string {
	_, isFile := reflect.TypeAssert[File](v)
	switch {
	case at.file || isFile:
		return "the name of a file"
	case v.Type() == secretType:
		return "a secret as text"
	case v.Type() == reflect.TypeFor[time.Duration]():
		return "a duration such as 30s, 5m, 24h or 2d"
	case v.Kind() == reflect.Bool:
		return "true or false without quotes"
	case v.CanInt():
		return "a whole number without quotes"
	case v.CanFloat():
		return "a number without quotes"
	}
	return "a text"
}

// errMalformed: the text doesn't have the type of the key.
var errMalformed = errors.New("malformed")

// decodeScalar decodes a node into a leaf. No problem contains a secret or the value of an
// environment variable.
func (d *decoder) decodeScalar(v reflect.Value, n *yaml.Node, at place) {
	want := expected(v, at)
	switch {
	case isNull(n):
		d.fail(at, "is empty; set it to %s, or remove the key", want)
		return
	case n.Kind != yaml.ScalarNode:
		d.fail(at, "must be %s, is %s", want, describe(n))
		return
	case !strings.HasPrefix(n.ShortTag(), "!!"):
		d.fail(at, "has an unknown YAML tag (!); put the text in quotes if it begins with !")
		return
	}
	expanded := *n
	var err error
	if !d.foreign {
		err = expand(&expanded, d.LookupEnv)
	} else if isText(v) && slices.Contains([]string{"!!int", "!!float", "!!bool"}, n.Tag) {
		err = fmt.Errorf("must be %s; put it in quotes, since YAML changes its text without them", want)
	}
	if err == nil {
		err = d.set(v, &expanded, n.Value, at, want)
	}
	switch {
	case errors.Is(err, errMalformed):
		d.fail(at, "must be %s, is %s", want, shorten(n.Value))
	case err != nil:
		d.fail(at, "%s", err)
	}
}

// isText reports whether a leaf is read from a text of any form.
func isText(v reflect.Value) bool { return v.Kind() == reflect.String || v.Type() == secretType }

// octal matches numbers that YAML reads with the base 8.
var octal = regexp.MustCompile(`^[-+]?0[0-9_]`)

// set sets a leaf to a scalar, which the file has as written. Its error is errMalformed, or says what would be right.
func (d *decoder) set(v reflect.Value, n *yaml.Node, written string, at place, want string) (err error) {
	switch to := v.Addr().Interface().(type) {
	case *Secret:
		switch {
		case n.Value == "":
			return fmt.Errorf("is empty; set it to %s, or remove the key", want)
		case to.IsSet():
			return errors.New("is set twice, as text and as a file; keep one of them")
		case at.file:
			*to = NewSecretFile(d.fileName(n.Value, written, at))
		default:
			*to = NewSecret(n.Value)
		}
	case *File:
		*to = File(d.fileName(n.Value, written, at))
	case *time.Duration:
		*to, err = ParseDuration(n.Value)
	case *string:
		*to = n.Value
	case encoding.TextUnmarshaler:
		return to.UnmarshalText([]byte(n.Value))
	default:
		tag := "!!int"
		switch {
		case v.Kind() == reflect.Bool:
			tag = "!!bool" // the library accepts yes and on too
		case v.CanFloat() && n.ShortTag() == "!!float":
			tag = "!!float"
		}
		if n.ShortTag() == tag && octal.MatchString(n.Value) {
			return fmt.Errorf("must be %s and without a zero before it: YAML reads 010 as 8", want)
		}
		if n.ShortTag() != tag || n.Decode(to) != nil {
			return errMalformed
		}
	}
	return err
}

// ParseDuration reads 5m, 2d, 1h30m, 1.5h, and negative ones.
func ParseDuration(text string) (time.Duration, error) {
	if d, err := model.ParseDuration(text); err == nil {
		return time.Duration(d), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, errMalformed
	}
	return d, nil
}

// substitution matches a scalar that comes from the environment as a whole.
var substitution = regexp.MustCompile(`(?s)^\$\{env:([A-Za-z_][A-Za-z0-9_]*)(:-(.*))?\}$`)

// expand replaces a scalar from the environment: ${env:NAME} is the variable's value,
// ${env:NAME:-default} the default if the variable is not set or empty. $${ at the beginning stands
// for ${. The error contains at most the variable's name.
func expand(n *yaml.Node, lookup func(string) (string, bool)) error {
	if strings.HasPrefix(n.Value, "$${") {
		n.Value = n.Value[1:]
		return nil
	}
	match := substitution.FindStringSubmatch(n.Value)
	switch {
	case match != nil && strings.Count(n.Value, "${env:") == 1:
	case strings.HasPrefix(n.Value, "${") || strings.Contains(n.Value, "${env:"):
		return errors.New("has a ${ that isn't a substitution; write ${env:NAME} or ${env:NAME:-default} as " +
			"the whole value, or $${ for a literal ${")
	default:
		return nil
	}
	name, hasDefault := match[1], match[2] != ""
	value, set := lookup(name)
	switch {
	case hasDefault && value == "":
		value = match[3]
	case !hasDefault && !set:
		return fmt.Errorf("environment variable %s is not set; set it, or write ${env:%s:-default}", name, name)
	}
	n.Value, n.Style, n.Tag = value, 0, ""
	return nil
}
