package ledger

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const bypassed = "cdr_media_bypass_calls_total{sbc1.example.com,true}"

// counting.md 25: of a feed that settles the trailing ratio goes by when calls did.
func TestRule25TrailingRatioWhenSettled(t *testing.T) {
	r := newMovingStartRig(t)
	ratio := "cdr_media_bypass_ratio{sbc1.example.com}"
	r.records(call("a", version(1), sessions("s1"), bypass(cdr.False)))
	r.clock.add(90 * time.Minute)
	r.records(call("a", version(1), sessions("s1"), bypass(cdr.True), settled))
	r.clock.add(59 * time.Minute)
	wantValues(t, r.values(), map[string]string{
		ratio: "1", bypassed: "1",
		"cdr_media_bypass_calls_total{sbc1.example.com,false}": "",
	})
	r.clock.add(time.Minute)
	wantValues(t, r.values(), map[string]string{ratio: ""})
}
