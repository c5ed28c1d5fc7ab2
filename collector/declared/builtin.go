package declared

import (
	"embed"
	"errors"
	"io/fs"
	pathpkg "path"
	"slices"
	"strings"
	"sync"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

//go:embed builtin/*.yaml
var builtin embed.FS

// Builtin are the providers whose definitions are built in, by name.
func Builtin() []collector.Provider { return slices.Clone(loaded()) }

// loaded reads each definition once: rules and dashboards ask for the providers again and again.
var loaded = sync.OnceValue(func() (all []collector.Provider) {
	for _, name := range BuiltinNames() {
		text, _ := BuiltinText(name)
		d, err := Load(name+".yaml", text)
		if err != nil {
			panic(err) // TestBuiltin loads each
		}
		all = append(all, NewProvider(d))
	}
	return all
})

// BuiltinNames are the names of the definitions that are built in, sorted.
func BuiltinNames() (names []string) {
	files, _ := fs.Glob(builtin, "builtin/*.yaml")
	for _, file := range files {
		names = append(names, strings.TrimSuffix(pathpkg.Base(file), ".yaml"))
	}
	return names
}

// BuiltinText is a definition that is built in, as its file has it.
func BuiltinText(name string) ([]byte, error) {
	text, err := builtin.ReadFile("builtin/" + name + ".yaml")
	if err != nil {
		return nil, errors.New("there is no such definition; there are: " + strings.Join(BuiltinNames(), ", "))
	}
	return text, nil
}
