package collector

import (
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// What the program passes in fits.
var (
	_ Ledger   = (*ledger.Feed)(nil)
	_ Observer = (*metrics.Feed)(nil)
	_ Paced    = (*RangeFeed)(nil)
)
