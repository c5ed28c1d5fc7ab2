package main_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// massacre kills an exporter again and again.
type massacre struct {
	t      *testing.T
	tenant *tenant
	sink   *receiver
	config string
	random *rand.Rand
	kills  int
	shown  map[string]tables // by feed, what was shown when it last settled
}

// newMassacre reads a tenant whose calls are given, with a seed for the instants.
func newMassacre(t *testing.T, seed uint64, grpc bool, s sim.Settings) *massacre {
	m := &massacre{t: t, tenant: newTenant(t, s), random: rand.New(rand.NewPCG(seed, seed)), shown: make(map[string]tables)}
	m.sink = newReceiver(t, m.tenant.vault, otlpsink.Settings{})
	otlp := m.sink.overHTTP("")
	if grpc {
		otlp = m.sink.overGRPC("")
	}
	m.config = m.tenant.configure(settings{OTLP: otlp})
	return m
}

func (m *massacre) start() *exporter {
	return start(m.t, m.tenant.vault, launch{config: m.config, shipped: true})
}

// kill starts the exporter and kills it at random: soon after it has begun, or after
// it has read some pages.
func (m *massacre) kill() {
	m.t.Helper()
	m.trouble()
	x := m.start()
	served := m.served()
	pages := m.random.IntN(7)
	rest := time.Duration(m.random.IntN(40)) * time.Millisecond
	limit := time.NewTimer(1200 * time.Millisecond)
	defer limit.Stop()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for m.served() < served+pages {
		select {
		case <-limit.C:
			pages = 0
		case <-x.done:
			m.t.Fatalf("the exporter ended by itself with exit code %d", x.exit)
		case <-ticker.C:
		}
	}
	select {
	case <-time.After(rest):
	case <-x.done:
		m.t.Fatalf("the exporter ended by itself with exit code %d", x.exit)
	}
	x.kill()
	m.kills++
	if m.kills%10 == 0 {
		m.tenant.vault.searchFolder(m.tenant.ledger())
	}
}

// served is how many requests for rows were answered.
func (m *massacre) served() int {
	n := 0
	for _, endpoint := range []string{sim.EndpointPSTN, sim.EndpointDirectRouting} {
		for status, answers := range m.tenant.Requests().Count(endpoint) {
			if status != 0 {
				n += answers
			}
		}
	}
	return n
}

// trouble makes the OTLP endpoint fail at times: nothing arrives, or all arrives and
// nobody is told.
func (m *massacre) trouble() {
	m.sink.ClearFailures()
	switch m.random.IntN(5) {
	case 0:
		m.sink.Fail(otlpsink.Reply{Status: 503, Code: codes.Unavailable, Times: 1 + m.random.IntN(3)})
	case 1:
		m.sink.Fail(otlpsink.Reply{Signal: otlpsink.LogSignal, Status: 503, Code: codes.Unavailable, Accept: true, Times: 1})
	case 2:
		m.sink.Fail(otlpsink.Reply{Signal: otlpsink.LogSignal, Drop: true})
	}
}

// settle lets the exporter run until it has counted and delivered what a reader met
// at these instants, and ends it.
func (m *massacre) settle(at ...time.Time) {
	m.t.Helper()
	m.sink.ClearFailures()
	x := m.start().serving()
	m.neverDown(x.scrape())
	x.counts(m.tenant, at...)
	final := x.scrape()
	for feed, w := range m.tenant.worlds {
		m.sink.delivered(w, feed, at...)
		m.shown[feed] = final.tables("contoso", feed)
	}
	if down := m.sink.Decreased(); len(down) > 0 {
		m.t.Errorf("OTLP metrics went down: %q", down)
	}
	ids := make(map[any]bool)
	for _, l := range m.sink.Logs() {
		ids[l.Resource["service.instance.id"]] = true
	}
	if len(ids) != 1 {
		m.t.Errorf("the ledger's instance id changed: %v", ids)
	}
	if m.random.IntN(2) == 0 {
		x.kill()
		return
	}
	x.stop()
}

// neverDown expects of each series at least what was shown before (guarantee 2).
func (m *massacre) neverDown(now families) {
	m.t.Helper()
	for feed, before := range m.shown {
		after := now.tables("contoso", feed)
		for metric, table := range before {
			for labels, was := range table {
				if is, there := after[metric][labels]; !there || is < was {
					m.t.Errorf("%s{%s} of %s went from %s to %s", metric, labels, feed, shown(was, true), shown(is, there))
				}
			}
		}
	}
}

// kills is how many times all tests together kill the exporter.
func kills(part int) int {
	if testing.Short() {
		return 4
	}
	return part
}

// TestKill (guarantees 1, 2, 4, 5; counting.md 1, 26): however often the process
// dies, and wherever it stands then, no call is lost and none is counted twice, and
// every log record is delivered.
func TestKill(t *testing.T) {
	t.Run("while history is read", func(t *testing.T) {
		t.Parallel()
		m := newMassacre(t, 21, false, sim.Settings{
			PSTN:          world(t, past(21, sim.PSTNMix(), size(6_000))),
			DirectRouting: world(t, past(22, sim.DirectRoutingMix(), size(6_000))),
			PageSize:      100,
		})
		at := m.tenant.Pause()
		for range kills(20) {
			m.kill()
		}
		m.settle(at)
	})
	t.Run("while rows come late and change", func(t *testing.T) {
		t.Parallel()
		m := newMassacre(t, 23, true, sim.Settings{
			PSTN:          world(t, unfolding(23, sim.PSTNMix(), size(6_000))),
			DirectRouting: world(t, unfolding(24, sim.DirectRoutingMix(), size(6_000))),
			PageSize:      100,
		})
		at := []time.Time{m.tenant.Pause()}
		m.settle(at...)
		for range 4 {
			m.tenant.Advance(10 * time.Hour)
			at = append(at, m.tenant.Visible())
			for range kills(20) / 4 {
				m.kill()
			}
			m.settle(at...)
		}
	})
	t.Run("while calls are published", func(t *testing.T) {
		t.Parallel()
		m := newMassacre(t, 25, false, sim.Settings{
			PSTN:          world(t, bustling(25, sim.PSTNMix(), size(6_000), 30*time.Second)),
			DirectRouting: world(t, bustling(26, sim.DirectRoutingMix(), size(6_000), 30*time.Second)),
			PageSize:      50,
		})
		for range kills(20) {
			m.kill()
		}
		m.tenant.Advance(10 * time.Hour)
		m.settle(m.tenant.Now())
	})
}

// TestTerminate (contract 1): SIGTERM and SIGINT at any time end the process with 0,
// and what it had read stays counted.
func TestTerminate(t *testing.T) {
	t.Parallel()
	m := newMassacre(t, 31, true, sim.Settings{
		PSTN:          world(t, past(31, sim.PSTNMix(), size(6_000))),
		DirectRouting: world(t, past(32, sim.DirectRoutingMix(), size(6_000))),
		PageSize:      100,
	})
	at := m.tenant.Pause()
	for i := range kills(8) {
		x := m.start().serving()
		served, pages := m.served(), m.random.IntN(12)
		eventually(t, fmt.Sprintf("read %d pages", pages), func() error {
			x.running()
			if m.served() < served+pages && !m.quiet(x) {
				return fmt.Errorf("%d were read", m.served()-served)
			}
			return nil
		})
		x.signal([]syscall.Signal{syscall.SIGTERM, syscall.SIGINT}[i%2])
		x.exited(0)
	}
	m.settle(at)
}

// quiet says whether the histories are read.
func (m *massacre) quiet(x *exporter) bool {
	_, err := x.client.get("/-/ready")
	return err == nil
}
