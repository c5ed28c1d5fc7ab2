package ledger

import (
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// A reload may bring another definition of the provider: what the last attempts show follows from it at once.
func TestReloadedReasons(t *testing.T) {
	r := newRig(t)
	r.live()
	r.records(call("a", outcome(cdr.Failed)))
	for _, no := range []bool{true, false} {
		r.spec.NoReasons = no
		r.openFeed()
		if _, shown := r.values()["cdr_recent_faults{inbound,sbc1.example.com}"]; shown == no {
			t.Errorf("without reasons %t: faults are shown: %t", no, shown)
		}
	}
}
