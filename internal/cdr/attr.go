package cdr

// Privacy is the class of a value, which decides how it is redacted.
type Privacy uint8

// The classes of values.
const (
	// Plain values are not personal.
	Plain Privacy = iota
	// Number is a phone number.
	Number
	// User is a name, a user principal name or a user id.
	User
	// Address is an IP address.
	Address
)

// AttrType is the type of an attribute's value.
type AttrType uint8

// The types of attributes.
const (
	StringAttr AttrType = iota
	IntAttr
	BoolAttr
	// StringsAttr is a list of strings.
	StringsAttr
)

// Attr is one of the provider's own fields, shown in log records as
// `cdr.<provider>.<Key>`.
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
