package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestLedgerCommands: an operator inspects and verifies a ledger while the exporter writes to it,
// and compacts it when the exporter has stopped. The counts don't change. TestVerifyFindsDamage of
// internal/core/ledger has damaged ledgers.
func TestLedgerCommands(t *testing.T) {
	t.Parallel()
	faults := simulator.NewFaults(0)
	poison(faults, `"value":[`, `{"id":"no row at all","startDateTime":7}`)
	n := newTenant(t, sim.Settings{DirectRouting: world(t, past(21, sim.DirectRoutingMix(), 1_000)), Faults: faults})
	at := n.Pause()
	x := n.start(settings{Sources: []source{{PSTN: "-"}}}).ready()
	x.counts(n, at)
	command := func(code int, name string) *exporter {
		return n.command(code, "ledger", name, "--config.file="+n.path("config.yaml"))
	}

	shown := command(0, "show").out.String()
	for _, want := range []string{
		"contoso/direct_routing (msgraph)",
		fmt.Sprintf("records           %d\n", int(x.scrape().sum("cdr_calls_total"))),
		"first history     read", "still to be read  0 items, 0 of them set aside", "more aren't in blocks yet",
		"rows set aside  last",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in:\n%s", want, shown)
		}
	}
	if out := command(0, "verify").out.String(); !strings.Contains(out, "is intact") {
		t.Errorf("verify says %s", out)
	}
	if log := command(1, "compact").log.String(); !strings.Contains(log, "stop the exporter first") {
		t.Errorf("compact while the exporter runs says %s", log)
	}
	x.kill()

	if out := command(0, "compact").out.String(); !strings.Contains(out, "now ") {
		t.Errorf("compact says %s", out)
	}
	command(0, "verify")
	x = n.start(settings{Sources: []source{{PSTN: "-"}}}).ready()
	n.Advance(2 * time.Hour)
	x.counts(n, at, n.Pause())
	x.stop()
}
