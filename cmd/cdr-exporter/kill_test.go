package main_test

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// massacre kills an exporter again and again.
type massacre struct {
	t      *testing.T
	estate *estate
	sink   *receiver
	config string
	random *rand.Rand
	kills  int
}

// newMassacre reads an estate, with its seed for the instants too.
func newMassacre(t *testing.T, grpc bool, s estateSettings) *massacre {
	m := &massacre{
		t: t, estate: newEstate(t, s), random: rand.New(rand.NewPCG(s.seed, s.seed)),
	}
	m.sink = newReceiver(t, m.estate.vault, otlpsink.Settings{})
	otlp := m.sink.overHTTP("")
	if grpc {
		otlp = m.sink.overGRPC("")
	}
	m.config = m.estate.configure(settings{OTLP: otlp})
	return m
}

func (m *massacre) start() *exporter {
	return start(m.t, m.estate.vault, launch{config: m.config})
}

// kill starts the exporter and kills it at random: soon after it has begun, or after
// it has read some pages.
func (m *massacre) kill() { m.t.Helper(); m.end((*exporter).kill) }

// end is kill with another end.
func (m *massacre) end(how func(*exporter)) {
	m.t.Helper()
	m.trouble()
	x := m.start()
	served := m.estate.answered()
	pages := m.random.IntN(12)
	rest := time.Duration(m.random.IntN(40)) * time.Millisecond
	limit := time.NewTimer(1200 * time.Millisecond)
	defer limit.Stop()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for m.estate.answered() < served+pages {
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
	how(x)
	m.kills++
	if m.kills%10 == 0 {
		m.estate.vault.searchFolder(m.estate.ledger())
	}
}

// trouble makes the OTLP endpoint fail at times: nothing arrives, or all arrives and
// nobody is told.
func (m *massacre) trouble() {
	m.sink.ClearFailures()
	switch m.random.IntN(5) {
	case 0:
		m.sink.Fail(otlpsink.Reply{Status: 503, Times: 1 + m.random.IntN(3)})
	case 1:
		m.sink.Fail(otlpsink.Reply{OnlyLogs: true, Status: 503, Accept: true, Times: 1})
	case 2:
		m.sink.Fail(otlpsink.Reply{OnlyLogs: true, Drop: true})
	}
}

// settle lets the exporter run until it has counted and delivered what was seen, and
// ends it.
func (m *massacre) settle() {
	m.t.Helper()
	m.sink.ClearFailures()
	x := m.start().serving()
	x.countsAll(m.estate)
	m.sink.completeAll(m.estate)
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

// TestKill (guarantees 1, 2, 4, 5; counting.md 1, 26): however often the process
// dies, and wherever it stands then, no call is lost and none is counted twice, and
// every log record is delivered. SIGTERM and SIGINT at any time end it with 0. TestChaos of tools/chaos has kills while
// calls are published.
func TestKill(t *testing.T) {
	t.Parallel()
	t.Run("while history is read", func(t *testing.T) {
		t.Parallel()
		m := newMassacre(t, false, killed(21, pastEra, 50))
		m.estate.hold()
		for range 3 {
			m.kill()
			m.end(func(x *exporter) { x.serving().stop() })
			m.kill()
			m.end(func(x *exporter) { x.serving().interrupt() })
		}
		m.settle()
	})
	t.Run("while rows come late and change", func(t *testing.T) {
		t.Parallel()
		m := newMassacre(t, true, killed(23, unfoldingEra, 50))
		m.estate.hold()
		m.settle()
		for range 4 {
			m.estate.pass(12 * time.Hour)
			for range 2 {
				m.kill()
			}
			m.settle()
		}
	})
}

// killed is an environment whose reader is killed, with a page size.
func killed(seed uint64, e era, page int) estateSettings {
	return estateSettings{
		seed: seed, calls: 400, era: e, ringcentral: rcsim.Settings{MaxPerPage: page},
		graph: sim.Settings{PageSize: page}, wavix: wavixsim.Settings{MaxPerPage: page},
	}
}

// interrupt ends the process as Ctrl-C does.
func (x *exporter) interrupt() {
	x.t.Helper()
	x.signal(syscall.SIGINT)
	x.exited(0)
}
