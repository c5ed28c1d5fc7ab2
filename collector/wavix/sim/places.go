package sim

import "github.com/cdr-exporter/cdr-exporter/internal/simulator"

// places are ranges that regulators set aside for drama: North America's 555-0100 to
// 0199, Ofcom's 020 7946 0xxx, the Bundesnetzagentur's (0)30 23125 xxx, ARCEP's
// 01 99 00 xx xx. +800 is shared by countries.
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
		{Weight: 3, Digits: targetPrefix, Random: 2, Country: targetCountry, Place: targetPlace},
	}
}

// Where calls are forwarded to.
const (
	targetPrefix  = "+141555501"
	targetCountry = "US"
	targetPlace   = "United States"
)

// own is where the account's own numbers come from.
func own() simulator.Prefix {
	return simulator.Prefix{Digits: "+120655501", Random: 2, Country: "US", Place: "United States"}
}

// users aren't on the wire: Wavix's records have none.
func users() []simulator.User {
	return []simulator.User{{
		ID: "5a5a0000-0000-4000-8000-000000000001", Principal: "alex.example@wave.example", Name: "Alex Example",
	}}
}

// labels are what stands where a number should, for inbound calls and SIP users.
var labels = [...]string{"anonymous", "Anonymous", "Example Clinic", "front.desk", "sip:36465@sip.example.com", "36465"}
