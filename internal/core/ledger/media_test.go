package ledger

import (
	"strings"
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

// Guarantee 9: what privacy removes of sessions isn't kept, and what it hashes is hashed
// once, whether the session comes with its call or later.
func TestPrivacyOfSessions(t *testing.T) {
	r := newMovingStartRig(t)
	personal := func(id string) func(*cdr.Record) {
		return func(r *cdr.Record) {
			r.Sessions = append(r.Sessions, cdr.Session{
				ID: id, UserID: "7f10c2ae-0000-4000-8000-000000000001", UserName: "Jane Doe",
				UserPrincipal: "jane@contoso.example",
				Number:        "+15550100001", Extra: []cdr.Attr{cdr.Text("ip", "203.0.113.77", cdr.Address)},
			})
		}
	}
	r.records(call("a", personal("s1"), personal("s2")))
	r.records(call("a", personal("s3")))
	lines := r.logs()[1:]
	if len(lines) != 3 {
		t.Fatalf("%d sessions are logged: %q", len(lines), lines)
	}
	for _, line := range lines {
		_, what, _ := strings.Cut(line, " number=")
		_, first, _ := strings.Cut(lines[0], " number=")
		if what != first || !strings.HasPrefix(what, "+1555010**** user=") || !strings.HasSuffix(what, " []") {
			t.Errorf("a session is logged as %q, the first as %q", what, first)
		}
		for _, value := range []string{"7f10c2ae", "Jane", "jane@", "0100001", "203.0.113.77"} {
			if strings.Contains(line, value) {
				t.Errorf("%q holds %s", line, value)
			}
		}
	}
}

// outbox_full: skip_logs skips sessions too, and says how many.
func TestSessionsOfAFullOutbox(t *testing.T) {
	r := newMovingStartRig(t)
	r.tuning.OutboxLimit, r.tuning.SkipLogs = 1, true
	r.reopen()
	r.records(call("a"))
	if got := r.records(call("b", sessions("s1", "s2"))); got.SkippedLogs != 3 || r.total("cdr_sessions_total") != 2 {
		t.Errorf("%+v, %d sessions", got, r.total("cdr_sessions_total"))
	}
}
