package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
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

// wanted names what a value is read from, for messages.
func wanted(v reflect.Value, at place) string {
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
	switch v.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	default:
		return "a whole number"
	}
}

// decodeScalar decodes a node into a value that is read from a scalar. Neither the content of a secret nor the
// value of an environment variable gets into a problem.
func (d *decoder) decodeScalar(v reflect.Value, n *yaml.Node, at place) {
	what := wanted(v, at)
	switch {
	case isNull(n):
		d.fail(at, "is empty; give %s, or remove the key", what)
		return
	case n.Kind != yaml.ScalarNode:
		d.fail(at, "must be %s, is %s", what, describe(n))
		return
	}
	tag := n.ShortTag()
	switch tag {
	case "!!str", "!!bool", "!!int", "!!float", "!!timestamp", "!!merge":
	default:
		d.fail(at, "has a YAML tag (!) that is not understood; put the text in quotes if it begins with !")
		return
	}
	text, fromEnv, err := expand(n.Value, d.lookupEnv)
	if err == nil {
		err = d.setScalar(v, text, at)
	}
	// Text in quotes is text even if it reads like a number.
	if quoted := tag == "!!str" && !fromEnv; errors.Is(err, errValue) || err == nil && quoted && isNumeric(v) {
		if isNumeric(v) {
			what += " without quotes"
		}
		err = fmt.Errorf("must be %s, is %s", what, shorten(n.Value))
	} else if errors.Is(err, strconv.ErrRange) {
		err = fmt.Errorf("is out of range, is %s", shorten(n.Value))
	}
	if err != nil {
		d.fail(at, "%s", err)
	}
}

// isNumeric reports whether a value is written without quotes.
func isNumeric(v reflect.Value) bool {
	_, readsItself := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr())
	return v.Kind() == reflect.Bool || v.CanInt() && !readsItself && v.Type() != reflect.TypeFor[time.Duration]()
}

// errValue means that a text can't be read as the type of the value.
var errValue = errors.New("not such a value")

// setScalar reads a text into a value.
func (d *decoder) setScalar(v reflect.Value, text string, at place) error {
	switch to := v.Addr().Interface().(type) {
	case *Secret:
		return d.setSecret(to, text, at)
	case *File:
		if *to = File(d.resolve(text)); *to != "" {
			d.files = append(d.files, fileRef{at, string(*to)})
		}
		return nil
	case *Path:
		*to = Path(d.resolve(text))
		return nil
	case *time.Duration:
		duration, err := parseDuration(text)
		if *to = duration; err != nil {
			return errValue
		}
		return nil
	case encoding.TextUnmarshaler:
		return to.UnmarshalText([]byte(text)) // its error says what would be right
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		// The other words of YAML 1.1 (yes, on) are refused rather than guessed at.
		if v.SetBool(strings.EqualFold(text, "true")); !v.Bool() && !strings.EqualFold(text, "false") {
			return errValue
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		digits := strings.ReplaceAll(text, "_", "")
		i, err := strconv.ParseInt(digits, 10, v.Type().Bits())
		// A leading 0 is octal in some versions of YAML and not in others.
		if unsigned := strings.TrimLeft(digits, "+-"); len(unsigned) > 1 && unsigned[0] == '0' || err != nil && !errors.Is(err, strconv.ErrRange) {
			return errValue
		}
		v.SetInt(i)
		return err
	default:
		return fmt.Errorf("cannot be read into a Go %s: this is a mistake in the program, not in the file", v.Type())
	}
	return nil
}

// setSecret takes a secret, or the name of the file that holds it.
func (d *decoder) setSecret(to *Secret, text string, at place) error {
	switch {
	case text == "":
		return fmt.Errorf("is empty; give %s, or remove the key", wanted(reflect.ValueOf(to).Elem(), at))
	case to.IsSet():
		return errors.New("is given twice, as text and as a file; keep one of them")
	case at.isFile():
		*to = NewSecretFile(d.resolve(text))
		d.files = append(d.files, fileRef{at, to.file})
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
	return time.ParseDuration(text)
}
