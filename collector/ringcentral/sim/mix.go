package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The families of trunks. RingCentral has none: a failing carrier loses calls alone.
const (
	calls = iota
	noCalls
)

// Mix is traffic of a company's call log: every result and kind of call that the contract distinguishes, and rows that aren't calls.
func Mix() *simulator.Mix {
	return mixOf("company", slices.Concat(answeredIn(), answeredOut(), pairs(), unanswered(), refused(), failures(), odd(), ignoredRows()))
}

// PublishedMix is Mix without the values that are younger than RingCentral's published specification, or that it doesn't have at all.
func PublishedMix() *simulator.Mix {
	m := Mix()
	isFresh := func(k simulator.Kind) bool { return k.Detail.(*wire).fresh }
	m.Kinds, m.Incident = slices.DeleteFunc(m.Kinds, isFresh), slices.DeleteFunc(m.Incident, isFresh)
	return m
}

// ExtensionMix is traffic of one extension's call log, where a session can be listed more than once.
func ExtensionMix() *simulator.Mix {
	return mixOf("extension", slices.Concat(views(), answeredIn(), answeredOut(), unanswered(), refused(), failures(), ignoredRows()))
}

func mixOf(name string, kinds []simulator.Kind) *simulator.Mix {
	return &simulator.Mix{
		Name: "ringcentral " + name, Kinds: kinds, Incident: incidents(),
		Trunks: []simulator.Trunk{{Weight: 1, Family: calls}, {Weight: 1, Family: noCalls}},
		Users:  users(), Prefixes: places(), Own: simulator.Prefix{Digits: "+120655501", Random: 2, Country: "US"},
		Tariffs: []simulator.Tariff{
			{Weight: 50, PerMinute: 137},
			{Weight: 30, Connection: 2450},
			{Weight: 15, PerMinute: 110, Connection: simulator.Cents(1)},
			// Less than a thousandth is written with an exponent.
			{Weight: 5, PerMinute: 2, Connection: 7},
		},
		Components: [2]string{"included", "purchased"}, NoCurrency: "USD", Mask: 'X', Milliseconds: true,
		Recordings: []simulator.Recording{
			{Weight: 3, Wire: "Automatic", Type: "automatic"}, {Weight: 1, Wire: "OnDemand", Type: "on_demand"},
		},
	}
}

// Historical is a world of exactly n rows that started in [from, to), with the usual delays, copies, revisions, recordings and rows that
// aren't final at first.
func Historical(seed uint64, mix *simulator.Mix, from, to time.Time, n int) simulator.Settings {
	return logged(simulator.Historical(seed, mix, from, to, n))
}

// Live is a world whose calls began at origin and go on, at a number of rows in a second averaged over the day.
func Live(seed uint64, mix *simulator.Mix, origin time.Time, perSecond float64) simulator.Settings {
	return logged(simulator.Live(seed, mix, origin, perSecond))
}

func logged(s simulator.Settings) simulator.Settings {
	s.Order = simulator.NewestFirst
	s.InProgress, s.Unsaid, s.Recorded, s.RecordedLate = 0.05, 0.02, 0.2, 0.5
	// A row is never without its id.
	s.Flaws = slices.DeleteFunc(simulator.Flaws(), func(f simulator.Flaw) bool { return f == simulator.NoFlaw })
	return s
}

// places are ranges that regulators set aside for drama: North America's 555-0100 to 0199, Ofcom's 020 7946 0xxx, the Bundesnetzagentur's
// (0)30 23125 xxx, ARCEP's
// 01 99 00 xx xx. +800 is shared by countries.
func places() []simulator.Prefix {
	return []simulator.Prefix{
		{Weight: 40, Digits: "+142555501", Random: 2, Country: "US", Place: "Bellevue, WA"},
		{Weight: 20, Digits: "+165055501", Random: 2, Country: "US", Place: "San Mateo, CA"},
		{Weight: 8, Digits: "+161355501", Random: 2, Country: "CA", Place: "Ottawa, ON"},
		{Weight: 2, Digits: "+187655501", Random: 2, Country: "JM", Place: "Jamaica"},
		{Weight: 10, Digits: "+442079460", Random: 3, Country: "GB", Place: "London"},
		{Weight: 8, Digits: "+493023125", Random: 3, Country: "DE", Place: "Berlin"},
		{Weight: 6, Digits: "+3319900", Random: 4, Country: "FR", Place: "Paris"},
		{Weight: 1, Digits: "+8000000", Random: 4, Country: "001"},
	}
}

// users are the account's extensions: the id, the extension's number, the name.
func users() []simulator.User {
	first := []string{"Alex", "Robin", "Kim", "Sam", "Jo", "Chris"}
	last := []string{"Example", "Sample", "Muster"}
	var list []simulator.User
	for i, f := range first {
		for j, l := range last {
			n := len(last)*i + j
			list = append(list, simulator.User{
				ID: fmt.Sprint(62264425016 + 1000*n), Principal: fmt.Sprint(101 + n), Name: f + " " + l,
			})
		}
	}
	return list
}
