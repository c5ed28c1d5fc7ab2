package sim

import "github.com/cdr-exporter/cdr-exporter/internal/simulator"

// places are ranges that regulators set aside for drama: North America's 555-0100 to 0199, Ofcom's 020 7946 0xxx, the Bundesnetzagentur's
// (0)30 23125 xxx, ARCEP's 01 99 00 xx xx. +800 is shared by countries.
func places() []simulator.Prefix {
	return []simulator.Prefix{
		{Weight: 30, Digits: "+142555501", Random: 2, Country: "US", Place: "United States"},
		{Weight: 6, Digits: "+161355501", Random: 2, Country: "CA", Place: "Canada"},
		{Weight: 2, Digits: "+187655501", Random: 2, Country: "JM", Place: "Jamaica"},
		// Wavix may name a city or a carrier too.
		{Weight: 15, Digits: "+442079460", Random: 3, Country: "GB", Place: "United Kingdom, London"},
		{Weight: 15, Digits: "+493023125", Random: 3, Country: "DE", Place: "Germany"},
		{Weight: 8, Digits: "+3319900", Random: 4, Country: "FR", Place: "France"},
		{Weight: 1, Digits: "+8000000", Random: 4, Country: "001", Place: "International"},
		target,
	}
}
