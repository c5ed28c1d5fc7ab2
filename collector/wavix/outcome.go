package wavix

import (
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// outcomes are what the dispositions mean (contract 3). `rejected` is in the prose of
// the provider's specification, though not in its list.
var outcomes = map[string]cdr.Outcome{
	"answered": cdr.Answered,
	"noanswer": cdr.NoAnswer,
	"busy":     cdr.Busy,
	"rejected": cdr.Rejected,
	"failed":   cdr.Failed,
}

// outcomeOf reads a disposition without case, and says whether it is known. A row
// without one, as older answers have, is answered if anybody talked.
func outcomeOf(disposition string, duration time.Duration) (outcome cdr.Outcome, known bool) {
	if disposition == "" {
		if duration > 0 {
			return cdr.Answered, true
		}
		return cdr.Unknown, true
	}
	if outcome, known = outcomes[disposition]; !known {
		outcome, known = outcomes[strings.ToLower(strings.TrimSpace(disposition))]
	}
	return outcome, known
}
