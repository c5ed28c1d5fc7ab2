package collector

import (
	"log/slog"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

const (
	// unmappedKept is how many values are remembered as logged.
	unmappedKept = 1000
	// unmappedShown is how much of a value is logged, in bytes.
	unmappedShown = 64
)

// unmappedLog counts the values that a mapping doesn't know, and logs each once.
type unmappedLog struct {
	logger *slog.Logger
	own    *metrics.Feed
	seen   map[Unmapped]bool
}

func (u *unmappedLog) add(all []Unmapped) {
	for _, one := range all {
		u.own.Unmapped(one.Field)
		one.Value = one.Value[:min(len(one.Value), unmappedShown)]
		if u.seen[one] || len(u.seen) == unmappedKept {
			continue
		}
		// The strings may point into a page that is used again.
		one.Field, one.Value = strings.Clone(one.Field), strings.Clone(one.Value)
		u.seen[one] = true
		u.logger.Warn("the provider sent a value that is new", "field", one.Field, "value", one.Value)
		if len(u.seen) == unmappedKept {
			u.logger.Warn("further values that are new are counted and not logged", "logged", unmappedKept)
		}
	}
}
