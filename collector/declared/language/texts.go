package language

import "strings"

// Expand puts parameters into a text: {name}.
func Expand(text string, parameters map[string][]string) string {
	return ParameterIn.ReplaceAllStringFunc(text, func(found string) string {
		return strings.Join(parameters[found[1:len(found)-1]], ",")
	})
}
