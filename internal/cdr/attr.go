package cdr

// Privacy is the class of a value, which decides how it is redacted.
type Privacy uint8

// The classes of values.
const (
	Plain   Privacy = iota // not personal
	Number                 // a phone number
	User                   // a name, a user principal name or a user id
	Address                // an IP address
	Words                  // the provider's words: not personal, but a number may be among them
)

// AttrType is the type of an attribute's value.
type AttrType uint8

// The types of attributes.
const (
	StringAttr AttrType = iota
	IntAttr
	BoolAttr
	StringsAttr // a list of strings
)

// Attr is one of the provider's own fields, in log records `cdr.<provider>.<Key>`.
type Attr struct {
	// Key is the field's name in snake case, without prefix.
	Key     string
	Type    AttrType
	Privacy Privacy
	Str     string
	Strs    []string
	// Int is the value of an IntAttr, and 0 or 1 for a BoolAttr.
	Int int64
}

// Text is a string attribute.
func Text(key, value string, class Privacy) Attr {
	return Attr{Key: key, Type: StringAttr, Privacy: class, Str: value}
}

// Whole is an integer attribute.
func Whole(key string, value int64) Attr { return Attr{Key: key, Type: IntAttr, Int: value} }

// Truth is a boolean attribute.
func Truth(key string, value bool) Attr {
	a := Attr{Key: key, Type: BoolAttr}
	if value {
		a.Int = 1
	}
	return a
}

// Texts is an attribute with a list of strings.
func Texts(key string, values []string, class Privacy) Attr {
	return Attr{Key: key, Type: StringsAttr, Privacy: class, Strs: values}
}
