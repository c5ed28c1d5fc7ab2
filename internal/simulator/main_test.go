package simulator

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var begin = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// testMix has one kind of each sort.
func testMix() *Mix {
	busy := Kind{
		Weight: 1, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Busy,
		SIPCode: cdr.KnownInt(486),
	}
	return &Mix{
		Kinds: []Kind{
			{Weight: 10, Wire: "In", CallType: "in", Direction: cdr.Inbound, Outcome: cdr.Answered, Free: true},
			{Weight: 10, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Answered, Priced: true},
			{
				Weight: 5, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Cancelled,
				SIPCode: cdr.KnownInt(487), Ring: time.Minute, Becomes: &busy,
			},
			{Weight: 1, Wire: "Odd", CallType: "odd", Party: Null, Outcome: cdr.Unknown, NoInvite: true},
			{
				Weight: 1, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Answered, Party: Dial911,
				Emergency: cdr.EmergencyReal,
			},
		},
		Incident: []Kind{
			{
				Weight: 1, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Failed,
				SIPCode: cdr.KnownInt(503),
			},
		},
		Trunks: []Trunk{
			{Weight: 2, Wire: "A", Name: "a", Bypass: cdr.True, Signaling: "EUNO"},
			{Weight: 1, Wire: "B", Name: "b", Media: "EUWE", Signaling: "EUNO"},
		},
		Users:    []User{{ID: "u1", Principal: "one@example.com", Name: "One"}},
		Prefixes: []Prefix{{Weight: 1, Digits: "+493023125", Random: 3, Country: "DE", Place: "Germany"}},
		Own:      Prefix{Digits: "+120655501", Random: 2, Country: "US"},
		Tariffs: []Tariff{
			{Weight: 2, Currency: "USD", PerMinute: 130, Connection: 100},
			{Weight: 1, Currency: "EUR", PerMinute: 245},
		},
		NoCurrency: "XXX", Components: [2]string{"usage", "connection"}, MoneyUnit: 100, Mask: '*',
	}
}

func newTestWorld(t testing.TB, s Settings) *World {
	t.Helper()
	w := NewWorld(s)
	return w
}

// The orders of rows.
const byStart, newestFirst = false, true

// spoilt is a historical world in which all that can happen happens.
func spoilt(n int, newest bool) Settings {
	s := Historical(42, testMix(), begin, begin.Add(30*time.Hour), n)
	s.Duplicated, s.Revised, s.Malformed, s.NoID, s.NewestFirst = 0.1, 0.3, 0.05, 0.05, newest
	return s
}

// totalsFor are the totals of the calls that started in [from, to).
func totalsFor(w *World, from, to, at time.Time) Totals {
	c := NewCounter(w.Mix(), View{At: []time.Time{at}})
	w.Each(from, to, func(call *Call) bool {
		c.Add(call)
		return true
	})
	return c.Totals
}
