package config

import "reflect"

// Setting is a key of a provider's block as `init` sets it. One whose field has the tag `ask:"text"` is asked for with this text, which
// is also its comment in the written file; all others are only flags.
type Setting struct {
	// Key is the key in the file; of a secret x it is x_file.
	Key string
	// Ask is what the key means; empty if it isn't asked for.
	Ask string
	// Secret: its value is the name of a file that holds a secret.
	Secret bool
	// Block: it is switched on by its key alone, such as a feed.
	Block bool
}

// Settings lists the settings of a block, which is a pointer to a struct, in the order of its fields.
func Settings(block any) (settings []Setting) {
	for _, f := range fieldsOf(reflect.TypeOf(block).Elem()) {
		isBlock := f.typ.Kind() == reflect.Pointer
		if f.typ == secretType && !f.isFile || !isBlock && !isLeaf(f.typ) {
			continue
		}
		settings = append(settings, Setting{Key: f.key, Ask: f.ask, Secret: f.isFile, Block: isBlock})
	}
	return settings
}
