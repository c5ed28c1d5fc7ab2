package wire

import (
	"bytes"
	"strconv"
)

// The functions of this file walk JSON that jsontext has validated, such as the values that Input
// gives. They may panic on anything else. Positions are indexes into the value.

// Members calls use for each member of an object, with the raw name, including quotes, and the raw
// value.
func Members(object []byte, use func(name, value []byte)) {
	for i := skipBlanks(object, 1); object[i] != '}'; {
		var name, value []byte
		name, value, i = readMember(object, i)
		use(name, value)
	}
}

// Member returns the raw value of the first member with that name, or nil.
func Member(object []byte, name string) []byte {
	for i := skipBlanks(object, 1); object[i] != '}'; {
		var raw, value []byte
		if raw, value, i = readMember(object, i); nameOf(raw) == name {
			return value
		}
	}
	return nil
}

// NamesTwice says whether an object on the way along a path has the path's next name more than
// once.
func NamesTwice(value []byte, path []string) bool {
	for _, segment := range path {
		var found []byte
		count := 0
		switch value[0] {
		case '{':
			Members(value, func(name, member []byte) {
				if nameOf(name) == segment {
					found, count = member, count+1
				}
			})
		case '[':
			at := 0
			Elements(value, func(element []byte) {
				if strconv.Itoa(at) == segment {
					found = element
				}
				at++
			})
		}
		if count > 1 {
			return true
		} else if found == nil {
			return false
		}
		value = found
	}
	return false
}

// readMember reads the member that starts at i and returns where the next one starts.
func readMember(object []byte, i int) (name, value []byte, next int) {
	name = object[i:stringEnd(object, i)]
	i = skipBlanks(object, i+len(name)) // the colon
	i = skipBlanks(object, i+1)
	value = object[i:valueEnd(object, i)]
	if i = skipBlanks(object, i+len(value)); object[i] == ',' {
		i = skipBlanks(object, i+1)
	}
	return name, value, i
}

// Elements calls use with the raw value of each element of an array.
func Elements(array []byte, use func(value []byte)) {
	i := skipBlanks(array, 1)
	for array[i] != ']' {
		value := array[i:valueEnd(array, i)]
		use(value)
		if i = skipBlanks(array, i+len(value)); array[i] == ',' {
			i = skipBlanks(array, i+1)
		}
	}
}

// stringEnd is the end of the string that starts at i, or -1 if it has none.
func stringEnd(b []byte, i int) int {
	for i++; ; i++ {
		quote := bytes.IndexByte(b[i:], '"')
		if quote < 0 {
			return -1
		}
		i += quote
		backslashes := 0
		for b[i-1-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return i + 1
		}
	}
}

// valueEnd is the end of the value that starts at i.
func valueEnd(b []byte, i int) int {
	switch b[i] {
	case '"':
		return stringEnd(b, i)
	case '{', '[':
		return nestedEnd(b, i)
	}
	for i < len(b) {
		switch b[i] {
		case ',', '}', ']', ' ', '\n', '\t', '\r':
			return i
		}
		i++
	}
	return i
}

func nestedEnd(b []byte, i int) int {
	for depth := 0; ; i++ {
		switch b[i] {
		case '"':
			i = stringEnd(b, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// TypeOf names the type of a value by its first byte: "a string", "an object", "an array", "a
// boolean", "null" or "a number".
func TypeOf(value byte) string {
	switch value {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
