package collector

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// One record that the provider can't give makes no other call late in a tenant that has
// few of them: the list goes on, and that others were fetched meanwhile tells that the fault
// is the record's own, so that it is set aside in the end and holds nothing.
func TestTaskFeed_APoisonedRecordMakesNothingLate(t *testing.T) {
	for name, fault := range map[string]*httpclient.Error{
		"server":    {Kind: httpclient.KindServer, Status: 500},
		"forbidden": {Kind: httpclient.KindForbidden, Status: 403},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { testPoison(t, fault) }) })
	}
}

func testPoison(t *testing.T, fault error) {
	t.Helper()
	now := time.Now()
	m := newTaskModel(now)
	m.latency = 10 * time.Millisecond
	m.fault = only(fault, "poison")
	m.add(now.Add(40*time.Minute), now.Add(60*time.Hour), 100*time.Minute, 0)
	calls := m.calls
	never := now.Add(1_000 * time.Hour)
	m.calls = append([]*toldCall{{id: "poison", start: now, end: now, versions: []time.Time{now}, readable: never}}, calls...)
	loop := m.loop(m.feed())
	loop.Start()
	pass(t, 60*time.Hour)
	loop.Stop()
	first := make(map[string]time.Time)
	for _, f := range m.fetched {
		if first[f.key].IsZero() {
			first[f.key] = f.at
		}
	}
	for _, c := range calls {
		if late := first[c.id].Sub(c.versions[0]); late > 11*time.Minute {
			t.Errorf("%s was fetched %s after it was published", c.id, late)
		}
	}
	if w := m.work[taskID{"record", "poison"}]; !w.SetAside || time.Since(m.state.Watermark) > 6*time.Minute {
		t.Errorf("it is %+v; the watermark is %s behind", w, time.Since(m.state.Watermark))
	}
	m.wantWhole(t)
}
