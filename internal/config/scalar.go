package config

import (
	"encoding"
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"
)

// Short tags of YAML, as yaml.Node.ShortTag returns them.
const (
	nullTag      = "!!null"
	boolTag      = "!!bool"
	stringTag    = "!!str"
	intTag       = "!!int"
	floatTag     = "!!float"
	timestampTag = "!!timestamp"
	mergeTag     = "!!merge"
)

// isNull reports whether a node is a bare key or a null.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == nullTag
}

// describe says what a node is, for a message. A text is not repeated, since it may be
// a secret that was put in the wrong place.
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

// scalar is the text of a node after the environment was put in.
type scalar struct {
	text string
	// plain is false for text in quotes, which is text even if it reads like a
	// number. What comes from the environment is plain.
	plain bool
}

// scalarOf returns the text of a node; what names the value that is wanted. The
// node's content appears in no problem.
func (d *decoder) scalarOf(n *yaml.Node, at place, what string) (scalar, bool) {
	switch {
	case isNull(n):
		d.fail(at, "is empty; give %s, or remove the key", what)
		return scalar{}, false
	case n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode:
		d.fail(at, "must be %s, is %s", what, describe(n))
		return scalar{}, false
	}
	switch n.ShortTag() {
	case stringTag, boolTag, intTag, floatTag, timestampTag, mergeTag:
	default:
		d.fail(at, "has a YAML tag (!) that is not understood; put the text in quotes if it begins with !")
		return scalar{}, false
	}
	text, fromEnv, err := expand(n.Value, d.lookupEnv)
	if err != nil {
		d.fail(at, "%s", err)
		return scalar{}, false
	}
	return scalar{text: text, plain: fromEnv || n.ShortTag() != stringTag}, true
}

// decodeScalar decodes a text, a truth value or a number.
func (d *decoder) decodeScalar(v reflect.Value, n *yaml.Node, at place) {
	switch v.Kind() {
	case reflect.String:
		if s, ok := d.scalarOf(n, at, "a text"); ok {
			v.SetString(s.text)
		}
	case reflect.Bool:
		d.decodeBool(v, n, at)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.decodeInt(v, n, at)
	case reflect.Float32, reflect.Float64:
		d.decodeFloat(v, n, at)
	default:
		d.fail(at, "cannot be read into a Go %s: this is a mistake in the program, not in the file", v.Type())
	}
}

// decodeBool decodes true or false. The other words of YAML 1.1 (yes, on) are
// refused rather than guessed at.
func (d *decoder) decodeBool(v reflect.Value, n *yaml.Node, at place) {
	const what = "true or false"
	s, ok := d.scalarOf(n, at, what)
	if !ok {
		return
	}
	yes, no := strings.EqualFold(s.text, "true"), strings.EqualFold(s.text, "false")
	if !s.plain || !yes && !no {
		d.fail(at, "must be %s without quotes, is %s", what, shorten(n.Value))
		return
	}
	v.SetBool(yes)
}

// decodeInt decodes a decimal whole number. Octal and hexadecimal notation are
// refused, since 010 means different numbers in different versions of YAML.
func (d *decoder) decodeInt(v reflect.Value, n *yaml.Node, at place) {
	const what = "a whole number"
	s, ok := d.scalarOf(n, at, what)
	if !ok {
		return
	}
	digits := strings.ReplaceAll(s.text, "_", "")
	i, err := strconv.ParseInt(digits, 10, v.Type().Bits())
	octal := len(strings.TrimLeft(digits, "+-")) > 1 && strings.HasPrefix(strings.TrimLeft(digits, "+-"), "0")
	switch {
	case errors.Is(err, strconv.ErrRange):
		d.fail(at, "is out of range, is %s", shorten(n.Value))
	case err != nil || !s.plain || octal:
		d.fail(at, "must be %s without quotes, is %s", what, shorten(n.Value))
	default:
		v.SetInt(i)
	}
}

// decodeFloat decodes a finite number.
func (d *decoder) decodeFloat(v reflect.Value, n *yaml.Node, at place) {
	const what = "a number"
	s, ok := d.scalarOf(n, at, what)
	if !ok {
		return
	}
	f, err := strconv.ParseFloat(s.text, v.Type().Bits())
	if err != nil || !s.plain || math.IsInf(f, 0) || math.IsNaN(f) {
		d.fail(at, "must be %s without quotes, is %s", what, shorten(n.Value))
		return
	}
	v.SetFloat(f)
}

// decodeDuration decodes a duration as Prometheus or Go writes it.
func (d *decoder) decodeDuration(v reflect.Value, n *yaml.Node, at place) {
	const what = "a duration such as 30s, 5m, 24h or 2d"
	s, ok := d.scalarOf(n, at, what)
	if !ok {
		return
	}
	duration, err := parseDuration(s.text)
	if err != nil {
		d.fail(at, "must be %s, is %s", what, shorten(n.Value))
		return
	}
	v.SetInt(int64(duration))
}

// parseDuration reads 5m, 2d, 1h30m, 1.5h; negative ones too, so that they can be
// reported as out of range.
func parseDuration(text string) (time.Duration, error) {
	if d, err := model.ParseDuration(text); err == nil {
		return time.Duration(d), nil
	}
	return time.ParseDuration(text)
}

// decodeText decodes a scalar whose type reads it itself. The type's error is the
// message, so it says what would be right.
func (d *decoder) decodeText(v encoding.TextUnmarshaler, n *yaml.Node, at place) {
	s, ok := d.scalarOf(n, at, "a text")
	if !ok {
		return
	}
	if err := v.UnmarshalText([]byte(s.text)); err != nil {
		d.fail(at, "%s", err)
	}
}
