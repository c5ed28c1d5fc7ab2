package collector

import (
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// What the program passes in fits.
var (
	_ Ledger = (*ledger.Feed)(nil)
)
