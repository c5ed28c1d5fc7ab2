package otlp

import (
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// The records are encoded by hand, because it happens in the commit: the generated types take seven
// times as long.

// The field numbers of opentelemetry/proto/logs/v1 and common/v1, 1.11.
const (
	requestResourceLogs, resourceScopeLogs, scopeLogsRecords = 1, 2, 2

	recordTime, recordSeverity, recordLevel, recordBody, recordAttributes = 1, 2, 3, 5, 6
	recordTraceID, recordObserved, recordEventName                        = 9, 11, 12
	keyValueKey, keyValueValue                                            = 1, 2
	anyString, anyBool, anyInt, anyDouble, anyArray, anyMap               = 1, 2, 3, 4, 5, 6
	arrayValues, mapValues                                                = 1, 1
)

// key is an attribute's key: name, or cdr.<provider>.<name>, never joined in memory.
type key struct{ provider, name string }

// common is a key that all providers share.
func common(name string) key { return key{name: name} }

// appendMessage appends a field whose content fill appends.
func appendMessage(b []byte, field protowire.Number, fill func([]byte) []byte) []byte {
	const room = 1 // for the length; enough for most messages, which are attributes
	b = append(protowire.AppendTag(b, field, protowire.BytesType), 0)
	begin := len(b)
	b = fill(b)
	n := len(b) - begin
	if grow := protowire.SizeVarint(uint64(n)) - room; grow > 0 {
		b = slices.Grow(b, grow)[:len(b)+grow]
		copy(b[begin+grow:], b[begin:begin+n])
	}
	protowire.AppendVarint(b[:begin-room], uint64(n))
	return b
}

func appendString[T string | []byte](b []byte, field protowire.Number, value T) []byte {
	b = protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(len(value)))
	return append(b, value...)
}

// appendAttribute appends an attribute whose AnyValue has the field that fill appends.
func appendAttribute(b []byte, k key, fill func([]byte) []byte) []byte {
	return appendMessage(b, recordAttributes, func(b []byte) []byte {
		b = appendMessage(b, keyValueKey, func(b []byte) []byte {
			if k.provider != "" {
				b = append(append(append(b, "cdr."...), k.provider...), '.')
			}
			return append(b, k.name...)
		})
		return appendMessage(b, keyValueValue, fill)
	})
}

// appendAttributesAs appends the attributes that fill appends for a log record, under another
// field's number, which must be below 16.
func appendAttributesAs(b []byte, field protowire.Number, fill func([]byte) []byte) []byte {
	at := len(b)
	b = fill(b)
	for at < len(b) {
		_, _, n := protowire.ConsumeField(b[at:]) // fill made a whole field
		b[at] = byte(field)<<3 | byte(protowire.BytesType)
		at += n
	}
	return b
}

// appendText appends a string attribute, or nothing if it is empty.
func appendText(b []byte, k key, value string) []byte {
	if value == "" {
		return b
	}
	return appendAttribute(b, k, func(b []byte) []byte { return appendString(b, anyString, validText(value)) })
}

// appendPairs appends string attributes, each a common name and a value, without empty ones.
func appendPairs(b []byte, pairs ...string) []byte {
	for i := 0; i < len(pairs); i += 2 {
		b = appendText(b, common(pairs[i]), pairs[i+1])
	}
	return b
}

// appendBytes is appendText for text that was built in a buffer.
func appendBytes(b []byte, k key, value []byte) []byte {
	return appendAttribute(b, k, func(b []byte) []byte { return appendString(b, anyString, value) })
}

// appendTexts appends a list of strings, or nothing if it is empty.
func appendTexts(b []byte, k key, values []string) []byte {
	if len(values) == 0 {
		return b
	}
	return appendAttribute(b, k, func(b []byte) []byte {
		return appendMessage(b, anyArray, func(b []byte) []byte {
			for _, v := range values {
				b = appendMessage(b, arrayValues,
					func(b []byte) []byte { return appendString(b, anyString, validText(v)) })
			}
			return b
		})
	})
}

func appendInt(b []byte, k key, value int64) []byte {
	return appendAttribute(b, k, func(b []byte) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, anyInt, protowire.VarintType), uint64(value))
	})
}

func appendBool(b []byte, k key, value bool) []byte {
	return appendAttribute(b, k, func(b []byte) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, anyBool, protowire.VarintType),
			protowire.EncodeBool(value))
	})
}

func appendDouble(b []byte, k key, value float64) []byte {
	return appendAttribute(b, k, func(b []byte) []byte {
		return protowire.AppendFixed64(protowire.AppendTag(b, anyDouble, protowire.Fixed64Type),
			math.Float64bits(value))
	})
}

// appendTime appends a time as RFC 3339 in UTC, or nothing for the zero time.
func appendTime(b []byte, k key, at time.Time) []byte {
	if at.IsZero() {
		return b
	}
	var buf [len("2006-01-02T15:04:05.999999999Z")]byte
	return appendBytes(b, k, at.UTC().AppendFormat(buf[:0], time.RFC3339Nano))
}

// appendUnixNano appends a record's time. A time before 1970 or after 2261 doesn't fit and is left
// out, which means unknown.
func appendUnixNano(b []byte, field protowire.Number, at time.Time) []byte {
	if at.Unix() <= 0 || at.Year() > 2261 {
		return b
	}
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), uint64(at.UnixNano()))
}

// validText is s as valid UTF-8: receivers refuse a whole request for one invalid string.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
