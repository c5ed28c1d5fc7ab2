package collector

import (
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// What the program passes in fits.
var (
	_ Ledger = (*ledger.Feed)(nil)
)

// partOf is a loop's part of that type.
func partOf[P part](l *Loop) (found P) {
	for _, one := range l.parts {
		if p, is := one.(P); is {
			found = p
		}
	}
	return found
}

// recordsOf is what a loop fetches.
func recordsOf(l *Loop) *records { return partOf[*records](l) }
