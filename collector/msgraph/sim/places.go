package sim

import (
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// places are ranges that regulators set aside for drama: North America's
// 555-0100 to 0199, Ofcom's 020 7946 0xxx, the Bundesnetzagentur's
// (0)30 23125 xxx, ARCEP's 01 99 00 xx xx, PTS's 08-465 004 xx. +800 is shared
// by countries.
func places() []simulator.Prefix {
	return []simulator.Prefix{
		{Weight: 30, Digits: "+142555501", Random: 2, Country: "US", Place: "United States"},
		{Weight: 15, Digits: "+121255501", Random: 2, Country: "US", Place: "United States"},
		{Weight: 6, Digits: "+161355501", Random: 2, Country: "CA", Place: "Canada"},
		{Weight: 2, Digits: "+187655501", Random: 2, Country: "JM", Place: "Jamaica"},
		{Weight: 15, Digits: "+442079460", Random: 3, Country: "GB", Place: "United Kingdom"},
		{Weight: 15, Digits: "+493023125", Random: 3, Country: "DE", Place: "Germany"},
		{Weight: 8, Digits: "+3319900", Random: 4, Country: "FR", Place: "France"},
		{Weight: 4, Digits: "+468465004", Random: 2, Country: "SE", Place: "Sweden"},
		{Weight: 1, Digits: "+8000000", Random: 4, Country: "001", Place: "International"},
	}
}

// own is where the tenant's own numbers come from.
func own() simulator.Prefix {
	return simulator.Prefix{Digits: "+120655501", Random: 2, Country: "US", Place: "United States"}
}

// users are the tenant's users.
func users() []simulator.User {
	first := []string{"Alex", "Robin", "Kim", "Sam", "Jo", "Chris", "Toni", "Dana"}
	last := []string{"Example", "Sample", "Muster", "Placeholder", "Specimen"}
	var list []simulator.User
	for i, f := range first {
		for j, l := range last {
			list = append(list, simulator.User{
				ID:        fmt.Sprintf("5a5a0000-0000-4000-8000-%012d", 100*i+j),
				Principal: fmt.Sprintf("%s.%s@contoso.example", f, l),
				Name:      f + " " + l,
			})
		}
	}
	return list
}
