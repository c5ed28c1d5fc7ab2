package config

import (
	"reflect"
	"slices"
	"strings"
)

// fileSuffix follows the key of a secret whose value is a file's name.
const fileSuffix = "_file"

var (
	secretType    = reflect.TypeFor[Secret]()
	secretMapType = reflect.TypeFor[map[string]Secret]()
)

// Setting is a key of a struct. A secret has two: x and x_file.
type Setting struct {
	Key string
	// Ask is the meaning of the key, from the tag `ask:"text"`: `init` asks for it with this text,
	// which is also its comment in the written file. Without the tag the key is only a flag of
	// `init`.
	Ask string
	// Secret: its value is the name of a file that holds a secret.
	Secret bool
	// Block: it is switched on by its key alone, such as a feed.
	Block bool
	// List: its value is a list of texts. OneWillDo: a single text is accepted too.
	List, OneWillDo bool
	// Map: its value is a mapping of names to texts or lists of texts. Only in a described block.
	Map bool
	// Keys are the keys of the block. Only in a described block, which may also have `ignore`.
	Keys []Setting
	// Values are the texts that it may have; none: any. Only in a described block.
	Values []string
	// Required: the block must have it. Only in a described block.
	Required bool
	// Type is the type of its field; nil in a described block, where its value is a text or one of the above.
	Type reflect.Type

	index []int
}

// NeedsKeys says that the block isn't switched on by its key alone.
func (s Setting) NeedsKeys() bool {
	return slices.ContainsFunc(s.Keys, func(inner Setting) bool { return inner.Required })
}

// Described is implemented by blocks whose keys are only known at run time, instead of from a
// struct's fields.
type Described interface {
	// Settings are all keys; a secret has two.
	Settings() []Setting
	// HasBlock says whether the block has an inner one under a key.
	HasBlock(key string) bool
}

// Settings lists the settings of a provider's block, a pointer to a struct, that `init` can set.
// Secrets are set by the names of their files.
func Settings(block any) []Setting {
	if d, ok := block.(Described); ok {
		all := d.Settings()
		isLiteral := func(s Setting) bool { // a secret that also has a key for its file
			return slices.ContainsFunc(all, func(file Setting) bool { return file.Secret && file.Key == s.Key+"_file" })
		}
		return slices.DeleteFunc(slices.Clone(all), isLiteral)
	}
	return slices.DeleteFunc(KeysOf(reflect.TypeOf(block).Elem()), func(s Setting) bool {
		return s.Type == secretType && !s.Secret || !s.Block && !isLeaf(s.Type)
	})
}

// HasBlock says whether a provider's block, a pointer to a struct, has an inner one under a key.
func HasBlock(block any, key string) bool {
	if d, ok := block.(Described); ok {
		return d.HasBlock(key)
	}
	return slices.ContainsFunc(KeysOf(reflect.TypeOf(block).Elem()), func(s Setting) bool {
		return s.Block && s.Key == key && !reflect.ValueOf(block).Elem().FieldByIndex(s.index).IsNil()
	})
}

// KeysOf lists the keys of a struct type in the order of its fields, those of embedded structs included.
func KeysOf(t reflect.Type) (fields []Setting) {
	for _, sf := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if key == "" {
			continue
		}
		f := Setting{
			Key: key, Ask: sf.Tag.Get("ask"), Block: sf.Type.Kind() == reflect.Pointer, Type: sf.Type, index: sf.Index,
		}
		fields = append(fields, f)
		if sf.Type == secretType || sf.Type == secretMapType {
			f.Key, f.Secret = key+fileSuffix, true
			fields = append(fields, f)
		}
	}
	return fields
}
