// Package configtest lists the keys of a configuration, for tests that compare documentation with
// the decoded types. Only tests import it.
package configtest

import (
	"encoding"
	"reflect"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Keys lists the paths of all keys that the type accepts, in the order of its fields:
// "storage.path", "sources[].name", "client_secret", "client_secret_file". It writes elements of
// lists as [], of maps as [*]. The blocks of providers aren't included.
func Keys(t reflect.Type) (keys []string) {
	switch {
	case t.Kind() == reflect.Pointer:
		return Keys(t.Elem())
	case isSingle(t):
		return nil
	case t.Kind() == reflect.Slice:
		return below("[]", Keys(t.Elem()))
	case t.Kind() == reflect.Map:
		return below("[*]", Keys(t.Elem()))
	case t.Kind() != reflect.Struct:
		return nil
	}
	for _, sf := range reflect.VisibleFields(t) {
		key, _, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if key == "" {
			continue
		}
		keys = append(append(keys, key), below(key, Keys(sf.Type))...)
		if sf.Type == reflect.TypeFor[config.Secret]() || sf.Type == reflect.TypeFor[map[string]config.Secret]() {
			keys = append(append(keys, key+"_file"), below(key+"_file", Keys(sf.Type))...)
		}
	}
	return keys
}

// BlockKeys lists the paths of all keys that a provider's block accepts, as Keys does.
func BlockKeys(block any) (keys []string) {
	d, ok := block.(config.Described)
	if !ok {
		return Keys(reflect.TypeOf(block))
	}
	for _, s := range d.Settings() {
		keys = append(keys, s.Key)
		for _, inner := range s.Keys {
			keys = append(keys, s.Key+"."+inner.Key)
		}
	}
	return keys
}

// isSingle reports whether a type that may be a struct or a list is written as a single value, or
// reads its keys itself.
func isSingle(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t == reflect.TypeFor[config.Secret]() || p.Implements(reflect.TypeFor[config.NodeDecoder]()) ||
		p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// below prefixes keys with a path.
func below(path string, keys []string) (all []string) {
	for _, key := range keys {
		if !strings.HasPrefix(key, "[") {
			key = "." + key
		}
		all = append(all, path+key)
	}
	return all
}
