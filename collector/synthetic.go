package collector

import (
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// SyntheticKey identifies a record without an id by its content (counting.md 18): type, start in whole seconds, from and to, without what
// spellings of a number differ in.
func SyntheticKey(r *cdr.Record) string {
	start := r.Start.Truncate(time.Second).Format(time.RFC3339)
	return strings.Join([]string{r.CallType, start, normalised(r.CallerNumber), normalised(r.CalleeNumber)}, "\x1f") // which no number holds
}

func normalised(number string) string {
	return strings.ToLower(strings.TrimPrefix(strings.Join(strings.Fields(number), ""), "+"))
}
