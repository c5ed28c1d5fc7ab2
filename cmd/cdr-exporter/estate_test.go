package main_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// estate is a tenant, a RingCentral account, which one source reads as a whole and
// another as its user, and a Wavix account: all of them by one exporter.
type estate struct {
	*site
	name         string // of the part of a site that it is; empty: it has the site alone
	tenant       *tenant
	office, desk *office
	carrier      *carrier
	// seen are the instants in which each provider was looked at.
	seen map[provider][]time.Time
}

// era is when the calls of an estate take place, by provider.
type era struct {
	graph, ringcentral, wavix func(seed uint64, mix *simulator.Mix, calls int) simulator.Settings
}

// The eras, after the functions that make their worlds.
var (
	pastEra      = era{past, logOf(past), past}
	unfoldingEra = era{unfolding, unfoldingLog, unfolding}
	// presentEra has calls in progress, and rows that aren't final; the tenant's calls are in the
	// past.
	presentEra = era{past, logOf(present), present}
)

// bustlingEra is of bustling worlds. Wavix has fewer calls: where a machine is slow, more
// would come in than are found meanwhile.
func bustlingEra(d time.Duration) era {
	f := func(seed uint64, mix *simulator.Mix, calls int) simulator.Settings {
		return bustling(seed, mix, calls, d)
	}
	wavix := func(seed uint64, mix *simulator.Mix, calls int) simulator.Settings {
		return f(seed, mix, calls/3)
	}
	return era{f, logOf(f), wavix}
}

// logOf turns worlds into worlds of a RingCentral call log.
func logOf(
	f func(uint64, *simulator.Mix, int) simulator.Settings,
) func(uint64, *simulator.Mix, int) simulator.Settings {
	return func(seed uint64, mix *simulator.Mix, calls int) simulator.Settings {
		return logged(f(seed, mix, calls))
	}
}

// present is a world of which some calls go on at present. No row becomes so old during a
// test that it counts as it stands.
func present(seed uint64, mix *simulator.Mix, calls int) simulator.Settings {
	now := time.Now()
	return simulator.Historical(seed, mix, now.Add(-46*time.Hour), now.Add(30*time.Minute), calls)
}

// estateSettings say what the providers of an estate are, but for their calls.
type estateSettings struct {
	site  *site  // empty: one is made
	name  string // see estate
	seed  uint64
	calls int // of each of its six worlds
	era   era
	// worlds changes the settings of every world; nil leaves them.
	worlds      func(*simulator.Settings)
	graph       sim.Settings
	ringcentral rcsim.Settings
	wavix       wavixsim.Settings
}

// newEstate starts the providers.
func newEstate(t testing.TB, s estateSettings) *estate {
	t.Helper()
	n := uint64(0)
	made := func(f func(uint64, *simulator.Mix, int) simulator.Settings, mix *simulator.Mix) simulator.Settings {
		set := f(s.seed*100+n, mix, s.calls)
		n++
		if s.worlds != nil {
			s.worlds(&set)
		}
		return set
	}
	if s.site == nil {
		s.site = newSite(t)
	}
	e := &estate{site: s.site, name: s.name, seen: make(map[provider][]time.Time)}
	s.graph.PSTN = simulator.NewWorld(made(s.era.graph, sim.PSTNMix()))
	s.graph.DirectRouting = simulator.NewWorld(made(s.era.graph, sim.DirectRoutingMix()))
	e.tenant = tenantAt(t, e.site, s.graph)
	s.ringcentral.Account = simulator.NewWorld(made(s.era.ringcentral, rcsim.Mix()))
	s.ringcentral.Extension = simulator.NewWorld(made(s.era.ringcentral, rcsim.ExtensionMix()))
	e.office = newOffice(t, e.site, s.ringcentral)
	e.desk = e.office.desk(s.ringcentral.Extension)
	placed, received := made(s.era.wavix, wavixsim.PlacedMix()), made(s.era.wavix, wavixsim.ReceivedMix())
	e.carrier = newCarrier(t, e.site, placed, received, s.wavix)
	return e
}

// places are all sources.
func (e *estate) places() []place {
	all := []place{e.tenant, e.office, e.desk, e.carrier}
	if e.name != "" {
		for i, p := range all {
			all[i] = branch{p, e.name}
		}
	}
	return all
}

// branch is a place of which one configuration has several: its source has a longer name, and its
// files are in a folder.
type branch struct {
	place
	folder string
}

func (b branch) source() string { return b.place.source() + "-" + b.folder }

func (b branch) item() string {
	item := strings.Replace(b.place.item(), "- name: "+b.place.source()+"\n", "- name: "+b.source()+"\n", 1)
	return strings.ReplaceAll(item, "_file: ", "_file: "+b.folder+"/")
}

// providers are all providers, each once.
func (e *estate) providers() []provider {
	return []provider{e.tenant.Server, e.office.Server, e.carrier.Server}
}

// hold publishes nothing more, and takes note of the instant.
func (e *estate) hold() {
	for _, p := range e.providers() {
		e.seen[p] = append(e.seen[p], p.Pause())
	}
}

// pass moves the clock while publication is held. Everything published before is read.
func (e *estate) pass(d time.Duration) {
	e.skip(d)
	for _, p := range e.providers() {
		e.seen[p] = append(e.seen[p], p.Visible())
	}
}

// skip lets time pass in which nothing is published that was looked at.
func (e *estate) skip(d time.Duration) {
	for _, p := range e.providers() {
		p.Advance(d)
	}
}

// at are the instants in which a place was looked at.
func (e *estate) at(p place) []time.Time { return e.seen[p.server()] }

// configure writes the configuration file and returns its name.
func (e *estate) configure(s settings) string {
	e.t.Helper()
	var items []string
	for _, p := range e.places() {
		items = append(items, p.item())
	}
	return e.configureSources(s, items...)
}

// start starts an exporter that reads everything.
func (e *estate) start(s settings, args ...string) *exporter {
	e.t.Helper()
	return start(e.t, e.vault, launch{config: e.configure(s), args: args})
}

// answered is how many requests for rows were answered.
func (e *estate) answered() int {
	return e.tenant.answered() + e.office.answered() + e.carrier.answered()
}

// countsAll waits until every metric of every source is what there was. A look is one
// scrape, since that is what looking costs.
func (x *exporter) countsAll(e *estate) {
	x.t.Helper()
	e.counted(x.running, x.scrape)
}

// counted waits until the metrics of one exporter or several are what there was.
func (e *estate) counted(running func(), scrape func() families) {
	e.t.Helper()
	type missing struct {
		source, feed string
		want         tables
	}
	var left []missing
	for _, p := range e.places() {
		for _, feed := range p.feeds() {
			left = append(left, missing{p.source(), feed, p.tables(feed, e.at(p)...)})
		}
	}
	eventually(e.t, "count everything exactly", func() (err error) {
		running()
		m := scrape()
		left = slices.DeleteFunc(left, func(f missing) bool {
			found := diff(m.tables(f.source, f.feed), f.want)
			if found != nil {
				err = fmt.Errorf("%s/%s: %w", f.source, f.feed, found)
			}
			return found == nil
		})
		return err
	})
}

// caughtUpAll waits until everything was read that is published by now.
func (x *exporter) caughtUpAll(e *estate) {
	x.t.Helper()
	e.read(x.running, x.scrape)
}

// read waits until one exporter or several have read everything that is published by now.
func (e *estate) read(running func(), scrape func() families) {
	e.t.Helper()
	now := make(map[provider]time.Time)
	for _, p := range e.providers() {
		now[p] = earlierNow(p)
	}
	eventually(e.t, "read everything up to now", func() error {
		running()
		m := scrape()
		for _, p := range e.places() {
			for _, feed := range p.feeds() {
				if err := m.reaches(now[p.server()], p.source(), feed); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// completeAll waits until every log record is there.
func (r *receiver) completeAll(e *estate) {
	r.t.Helper()
	for _, p := range e.places() {
		r.complete(p, e.at(p)...)
	}
}
