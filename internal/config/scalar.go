package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"
)

// isNull reports whether a node is a bare key or a null.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// describe says what a node is, for a message. A text is not repeated, since it may be
// a secret in the wrong place.
func describe(n *yaml.Node) string {
	switch {
	case isNull(n):
		return "empty"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}

// scalar says what a value is read from, and how.
type scalar struct {
	what string
	// literal values are written without quotes.
	literal bool
	// set returns errMalformed, or another problem with the text.
	set func(text string) error
}

// errMalformed means that a text isn't what is wanted.
var errMalformed = errors.New("malformed")

// always is the set of a scalar for which every text is right.
func always(set func(string)) func(string) error {
	return func(text string) error {
		set(text)
		return nil
	}
}

func (d *decoder) scalarOf(v reflect.Value, at place) scalar {
	const fileName = "the name of a file"
	switch to := v.Addr().Interface().(type) {
	case *Secret:
		what := "a secret as text"
		if at.isFile() {
			what = fileName
		}
		return scalar{what, false, func(text string) error { return d.setSecret(to, text, what, at) }}
	case *File:
		return scalar{fileName, false, always(func(text string) { *to = File(d.addFile(text, at)) })}
	case *Path:
		return scalar{fileName, false, always(func(text string) { *to = Path(d.resolve(text)) })}
	case *time.Duration:
		return scalar{"a duration such as 30s, 5m, 24h or 2d", false, func(text string) (err error) {
			*to, err = parseDuration(text)
			return err
		}}
	case encoding.TextUnmarshaler:
		return scalar{"a text", false, func(text string) error { return to.UnmarshalText([]byte(text)) }} // its error says what would be right
	}
	switch {
	case v.Kind() == reflect.String:
		return scalar{"a text", false, always(v.SetString)}
	case v.Kind() == reflect.Bool:
		return scalar{"true or false", true, func(text string) error { return setBool(v, text) }}
	case v.CanInt():
		return scalar{"a whole number", true, func(text string) error { return setInt(v, text) }}
	default:
		return scalar{"another type", false, func(string) error {
			return fmt.Errorf("cannot be read into a Go %s: this is a mistake in the program, not in the file", v.Type())
		}}
	}
}

// setBool refuses the other words of YAML 1.1 (yes, on) rather than guess.
func setBool(v reflect.Value, text string) error {
	if v.SetBool(strings.EqualFold(text, "true")); !v.Bool() && !strings.EqualFold(text, "false") {
		return errMalformed
	}
	return nil
}

// setInt takes decimal numbers. A leading 0 is octal in some versions of YAML and not in others, so it is refused.
func setInt(v reflect.Value, text string) error {
	digits := strings.ReplaceAll(text, "_", "")
	i, err := strconv.ParseInt(digits, 10, v.Type().Bits())
	unsigned := strings.TrimLeft(digits, "+-")
	switch {
	case len(unsigned) > 1 && unsigned[0] == '0':
		return errMalformed
	case errors.Is(err, strconv.ErrRange):
		return strconv.ErrRange
	case err != nil:
		return errMalformed
	}
	v.SetInt(i)
	return nil
}

// decodeScalar decodes a node into a value that is read from a scalar. Neither the content of a secret nor the
// value of an environment variable gets into a problem.
func (d *decoder) decodeScalar(v reflect.Value, n *yaml.Node, at place) {
	s := d.scalarOf(v, at)
	tag := n.ShortTag()
	switch {
	case isNull(n):
		d.fail(at, "is empty; give %s, or remove the key", s.what)
		return
	case n.Kind != yaml.ScalarNode:
		d.fail(at, "must be %s, is %s", s.what, describe(n))
		return
	case !slices.Contains([]string{"!!str", "!!bool", "!!int", "!!float", "!!timestamp", "!!merge"}, tag):
		d.fail(at, "has a YAML tag (!) that is not understood; put the text in quotes if it begins with !")
		return
	}
	text, fromEnv, err := expand(n.Value, d.lookupEnv)
	if err == nil {
		err = s.set(text)
	}
	if s.literal {
		s.what += " without quotes"
		if tag == "!!str" && !fromEnv && err == nil {
			err = errMalformed
		}
	}
	switch {
	case errors.Is(err, errMalformed):
		d.fail(at, "must be %s, is %s", s.what, shorten(n.Value))
	case errors.Is(err, strconv.ErrRange):
		d.fail(at, "is out of range, is %s", shorten(n.Value))
	case err != nil:
		d.fail(at, "%s", err)
	}
}

// addFile remembers a file that must be readable and returns its absolute name.
func (d *decoder) addFile(text string, at place) string {
	name := d.resolve(text)
	if name != "" {
		d.files = append(d.files, fileRef{at, name})
	}
	return name
}

// setSecret takes a secret, or the name of the file that holds it.
func (d *decoder) setSecret(to *Secret, text, what string, at place) error {
	switch {
	case text == "":
		return fmt.Errorf("is empty; give %s, or remove the key", what)
	case to.IsSet():
		return errors.New("is given twice, as text and as a file; keep one of them")
	case at.isFile():
		*to = NewSecretFile(d.addFile(text, at))
	default:
		*to = NewSecret(text)
	}
	return nil
}

// parseDuration reads 5m, 2d, 1h30m, 1.5h; negative ones too, so that they can be
// reported as out of range.
func parseDuration(text string) (time.Duration, error) {
	if d, err := model.ParseDuration(text); err == nil {
		return time.Duration(d), nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return d, nil
	}
	return 0, errMalformed
}
