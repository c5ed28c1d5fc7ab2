package app

import (
	"slices"

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

// Feeds are the names of all feeds with a property, each once, in the order of the providers.
func Feeds(having func(collector.FeedProperties) bool) []string {
	var names []string
	for _, p := range Providers() {
		for _, f := range p.Feeds {
			if having(f) && !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	return names
}
