package language

import (
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Expand puts parameters into a text: {name}.
func Expand(text string, parameters map[string][]string) string {
	return ParameterIn.ReplaceAllStringFunc(text, func(found string) string {
		return strings.Join(parameters[found[1:len(found)-1]], ",")
	})
}

// AddKeys adds the texts of a mapping at a path, under their own paths.
func AddKeys(to map[string]string, path string, texts map[string]string) {
	for key, text := range texts {
		to[config.KeyPath(path, key)] = text
	}
}
