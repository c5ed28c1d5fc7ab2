package collector

import (
	"crypto/sha256"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// SyntheticKey identifies a record without an id by its content (counting.md 18): type, start in whole seconds, and the numbers of both parties,
// normalised.
func SyntheticKey(r *cdr.Record) string {
	start := r.Start.Truncate(time.Second).Format(time.RFC3339)
	return strings.Join([]string{r.CallType, start, normalised(r.CallerNumber), normalised(r.CalleeNumber)}, "\x1f") // which no number holds
}

func normalised(number string) string {
	return strings.ToLower(strings.TrimPrefix(strings.Join(strings.Fields(number), ""), "+"))
}

// twins numbers the records of one complete read that have no id and say the same
// (counting.md 18). It keeps a digest for each, so only feeds whose rows lack ids pay for it.
type twins map[[16]byte]int

func (seen twins) number(records []*cdr.Record) {
	for _, r := range records {
		if r.Synthetic == "" {
			continue
		}
		sum := sha256.Sum256([]byte(r.Synthetic))
		key := [16]byte(sum[:])
		r.Twin = seen[key]
		seen[key]++
	}
}
