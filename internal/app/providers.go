package app

import (
	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph"
	"github.com/cdr-exporter/cdr-exporter/collector/ringcentral"
	"github.com/cdr-exporter/cdr-exporter/collector/wavix"
)

// Providers are all that a source may be of. Adding one is adding a line.
func Providers() []collector.Provider {
	return []collector.Provider{
		msgraph.Provider(),
		ringcentral.Provider(),
		wavix.Provider(),
	}
}
