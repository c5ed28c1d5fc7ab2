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
	// Paths: the block must have its own files under `paths`. Only in a described block.
	Paths bool
	// Ignore: the block may have a condition under `ignore`. Only in a described block.
	Ignore bool
	// Legs: the block has the keys of Legs. Only in a described block.
	Legs bool
	// List: its value is a list of texts. OneWillDo: a single text is accepted too.
	List, OneWillDo bool
	// Map: its value is a mapping of names to texts or lists of texts. Only in a described block.
	Map bool
	// Snapshot: the block has only the keys of ActiveCalls. Only in a described block.
	Snapshot bool
	// Keys are further keys of the block, with their List and Values. Only in a described block.
	Keys []Setting
	// Values are the texts that it may have; none: any. Only in a described block.
	Values []string
	// Required: the block must have it. Only in a described block.
	Required bool

	index []int
	typ   reflect.Type
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
	return slices.DeleteFunc(fieldsOf(reflect.TypeOf(block).Elem()), func(s Setting) bool {
		return s.typ == secretType && !s.Secret || !s.Block && !isLeaf(s.typ)
	})
}

// HasBlock says whether a provider's block, a pointer to a struct, has an inner one under a key.
func HasBlock(block any, key string) bool {
	if d, ok := block.(Described); ok {
		return d.HasBlock(key)
	}
	return slices.ContainsFunc(fieldsOf(reflect.TypeOf(block).Elem()), func(s Setting) bool {
		return s.Block && s.Key == key && !reflect.ValueOf(block).Elem().FieldByIndex(s.index).IsNil()
	})
}

// fieldsOf lists the keys of a struct type in the order of its fields, those of embedded structs included.
func fieldsOf(t reflect.Type) (fields []Setting) {
	for _, sf := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if key == "" {
			continue
		}
		f := Setting{
			Key: key, Ask: sf.Tag.Get("ask"), Block: sf.Type.Kind() == reflect.Pointer, index: sf.Index,
			typ: sf.Type,
		}
		fields = append(fields, f)
		if sf.Type == secretType || sf.Type == secretMapType {
			f.Key, f.Secret = key+fileSuffix, true
			fields = append(fields, f)
		}
	}
	return fields
}
