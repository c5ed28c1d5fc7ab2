// Package providers has the list of the providers that a source may be of.
package providers

import (
	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph"
)

// All are all providers. Adding one is adding a line.
func All() []collector.Provider {
	return append([]collector.Provider{
		msgraph.Provider(),
	}, declared.Builtin()...)
}
