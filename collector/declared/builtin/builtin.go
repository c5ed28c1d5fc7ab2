// Package builtin has the definitions that are part of the exporter, and the Go functions that they
// name for their rows.
package builtin

import (
	"embed"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/ringcentral"
)

// Files are the definitions, by the provider's name.
//
//go:embed *.yaml
var Files embed.FS

// Functions are the functions that a definition may name, by the word of `map`.
var Functions = map[string]rowmap.Function{
	"ringcentral": ringcentral.Function(),
}
