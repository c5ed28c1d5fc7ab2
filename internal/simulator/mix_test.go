package simulator

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

var begin = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// testMix has one kind of each sort.
func testMix() *Mix {
	busy := Kind{Weight: 1, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Busy, SIPCode: cdr.KnownInt(486)}
	return &Mix{
		Kinds: []Kind{
			{Weight: 10, Wire: "In", CallType: "in", Direction: cdr.Inbound, Outcome: cdr.Answered, Free: true},
			{Weight: 10, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Answered, Priced: true},
			{Weight: 5, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Cancelled, SIPCode: cdr.KnownInt(487), Ring: time.Minute, Becomes: &busy},
			{Weight: 1, Wire: "Odd", CallType: "odd", Party: Null, Outcome: cdr.Unknown, NoInvite: true},
			{Weight: 1, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Answered, Party: Dial911, Emergency: cdr.EmergencyReal},
		},
		Incident: []Kind{
			{Weight: 1, Wire: "Out", CallType: "out", Direction: cdr.Outbound, Outcome: cdr.Failed, SIPCode: cdr.KnownInt(503)},
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
		NoCurrency: "XXX",
	}
}

func newTestWorld(t testing.TB, s Settings) *World {
	t.Helper()
	w, err := NewWorld(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// spoilt is a historical world in which all that can happen happens.
func spoilt(n int, order Order) Settings {
	s := Historical(42, testMix(), begin, begin.Add(30*time.Hour), n)
	s.Duplicated, s.Revised, s.Malformed, s.NoID, s.Incidents, s.Order = 0.1, 0.3, 0.05, 0.05, 0.3, order
	return s
}

func TestSettingsAreValidated(t *testing.T) {
	good := func() Settings { return Historical(1, testMix(), begin, begin.Add(time.Hour), 10) }
	for _, c := range []struct {
		name   string
		change func(*Settings)
	}{
		{"no mix", func(s *Settings) { s.Mix = nil }},
		{"no beginning", func(s *Settings) { s.From = time.Time{} }},
		{"live without a rate", func(s *Settings) { s.To = time.Time{} }},
		{"ends before it begins", func(s *Settings) { s.To = begin.Add(-time.Hour) }},
		{"too many calls", func(s *Settings) { *s = Live(1, testMix(), begin, 1e6) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := good()
			c.change(&s)
			if _, err := NewWorld(s); err == nil {
				t.Error("no error")
			}
		})
	}
	if _, err := NewWorld(good()); err != nil {
		t.Errorf("good settings: %v", err)
	}
}
