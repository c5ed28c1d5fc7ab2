// Package docs carries the runbooks, which `cdr-exporter assets` writes.
package docs

import "embed"

// Runbooks are the files of the folder runbooks.
//
//go:embed runbooks/*.md
var Runbooks embed.FS
