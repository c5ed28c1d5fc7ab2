package otlp

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// The field numbers of opentelemetry/proto/logs/v1 and common/v1, 1.11.
const (
	scopeLogsRecords = 2

	recordTime       = 1
	recordSeverity   = 2
	recordLevel      = 3
	recordBody       = 5
	recordAttributes = 6
	recordTraceID    = 9
	recordObserved   = 11
	recordEventName  = 12

	keyValueKey   = 1
	keyValueValue = 2

	anyString = 1
	anyBool   = 2
	anyInt    = 3
	anyDouble = 4
	anyArray  = 5

	arrayValues = 1
)

// tagSize is the size of the tag of any field up to 15.
const tagSize = 1

// sized is the size of a field that holds n bytes, with its tag and length.
func sized(n int) int { return tagSize + protowire.SizeBytes(n) }

// key is an attribute's key: name, or cdr.<provider>.<name>, never joined in memory.
type key struct{ provider, name string }

// common is one of the keys that every provider shares.
func common(name string) key { return key{name: name} }

func (k key) size() int {
	if k.provider == "" {
		return len(k.name)
	}
	return len("cdr.") + len(k.provider) + len(".") + len(k.name)
}

func (k key) append(b []byte) []byte {
	if k.provider != "" {
		b = append(b, "cdr."...)
		b = append(b, k.provider...)
		b = append(b, '.')
	}
	return append(b, k.name...)
}

func appendLength(b []byte, field protowire.Number, n int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(n))
}

// appendAttribute opens an attribute whose AnyValue has the given size; the
// caller appends the AnyValue's field.
func appendAttribute(b []byte, k key, value int) []byte {
	b = appendLength(b, recordAttributes, sized(k.size())+sized(value))
	b = k.append(appendLength(b, keyValueKey, k.size()))
	return appendLength(b, keyValueValue, value)
}

// appendText appends a string attribute, nothing if it is empty.
func appendText(b []byte, k key, value string) []byte {
	if value == "" {
		return b
	}
	value = validText(value)
	b = appendAttribute(b, k, sized(len(value)))
	return append(appendLength(b, anyString, len(value)), value...)
}

// appendBytes is appendText for text that was built in a buffer.
func appendBytes(b []byte, k key, value []byte) []byte {
	b = appendAttribute(b, k, sized(len(value)))
	return append(appendLength(b, anyString, len(value)), value...)
}

// appendTexts appends a list of strings, nothing if it is empty.
func appendTexts(b []byte, k key, values []string) []byte {
	if len(values) == 0 {
		return b
	}
	array := 0
	for _, v := range values {
		array += sized(sized(len(validText(v))))
	}
	b = appendAttribute(b, k, sized(array))
	b = appendLength(b, anyArray, array)
	for _, v := range values {
		v = validText(v)
		b = appendLength(b, arrayValues, sized(len(v)))
		b = append(appendLength(b, anyString, len(v)), v...)
	}
	return b
}

func appendInt(b []byte, k key, value int64) []byte {
	b = appendAttribute(b, k, tagSize+protowire.SizeVarint(uint64(value)))
	return protowire.AppendVarint(protowire.AppendTag(b, anyInt, protowire.VarintType), uint64(value))
}

func appendKnownInt(b []byte, k key, value cdr.Int) []byte {
	if !value.Known {
		return b
	}
	return appendInt(b, k, value.Value)
}

func appendTruth(b []byte, k key, value bool) []byte {
	b = appendAttribute(b, k, tagSize+1)
	return protowire.AppendVarint(protowire.AppendTag(b, anyBool, protowire.VarintType), protowire.EncodeBool(value))
}

func appendDouble(b []byte, k key, value float64) []byte {
	b = appendAttribute(b, k, tagSize+protowire.SizeFixed64())
	return protowire.AppendFixed64(protowire.AppendTag(b, anyDouble, protowire.Fixed64Type), math.Float64bits(value))
}

// appendTime appends a time as RFC 3339 in UTC, nothing for the zero time.
func appendTime(b []byte, k key, at time.Time) []byte {
	if at.IsZero() {
		return b
	}
	var buf [len("2006-01-02T15:04:05.999999999Z")]byte
	return appendBytes(b, k, at.UTC().AppendFormat(buf[:0], time.RFC3339Nano))
}

// appendUnixNano appends a record's time. What doesn't fit, before 1970 or after
// 2261, is left out, which means unknown.
func appendUnixNano(b []byte, field protowire.Number, at time.Time) []byte {
	if at.Unix() <= 0 || at.Year() > 2261 {
		return b
	}
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), uint64(at.UnixNano()))
}

// validText is s as UTF-8: receivers refuse a whole request for one bad string.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
