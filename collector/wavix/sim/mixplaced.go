package sim

import (
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// PlacedMix is traffic of type placed: every disposition, as Wavix writes it and as it might, and what else a reader may stumble over. The
// trunk is the SIP trunk's login; calls of the API have none.
func PlacedMix() *simulator.Mix {
	m := mix(Placed)
	m.Kinds = append(placedKinds(), oddPlacedKinds()...)
	m.Incident = []simulator.Kind{free(out(3, "failed", cdr.Failed)), free(out(1, "noanswer", cdr.NoAnswer))}
	m.Trunks = []simulator.Trunk{
		{Weight: 5, Wire: "32882", Name: "32882"},
		{Weight: 3, Wire: "36465", Name: "36465"},
		{Weight: 1, Wire: "example-office", Name: "example-office"},
		{Weight: 1},
	}
	m.Tariffs = []simulator.Tariff{
		{Weight: 5, PerMinute: 2700}, // 0.027
		{Weight: 3, PerMinute: 650},
		{Weight: 2, PerMinute: 325}, // 0.00325
	}
	return m
}

// mix is what both types have in common.
func mix(name string) *simulator.Mix {
	return &simulator.Mix{
		Name: "wavix " + name, Prefixes: places(),
		Own: simulator.Prefix{Digits: "+120655501", Random: 2, Country: "US", Place: "United States"},
		// Users aren't on the wire: Wavix's records have none.
		Users:      []simulator.User{{ID: "5a5a0000-0000-4000-8000-000000000001", Principal: "alex.example@wave.example", Name: "Alex Example"}},
		NoCurrency: "USD", Components: [2]string{"usage", "forwarding"},
	}
}

// kind is a kind of call whose row is of a type: the disposition as it is written, and what it means. It costs money unless that is taken
// away.
func kind(weight int, callType string, direction cdr.Direction, disposition string, outcome cdr.Outcome) simulator.Kind {
	return simulator.Kind{
		Weight: weight, Wire: string(plain), CallType: callType, Direction: direction, Outcome: outcome,
		Phrase: disposition, NoInvite: true, NoMedia: true, Priced: true,
	}
}

func out(weight int, disposition string, outcome cdr.Outcome) simulator.Kind {
	return kind(weight, Placed, cdr.Outbound, disposition, outcome)
}

// free is a kind that says it costs nothing.
func free(k simulator.Kind) simulator.Kind {
	k.Free, k.Priced = true, false
	return k
}

// unpriced is a kind whose price is null.
func unpriced(k simulator.Kind) simulator.Kind {
	k.Free, k.Priced = false, false
	return k
}

func party(k simulator.Kind, p simulator.Party) simulator.Kind {
	k.Party = p
	return k
}

func in(k simulator.Kind, s scenario) simulator.Kind {
	k.Wire = string(s)
	return k
}

// becomes is a kind whose disposition Wavix corrects to another's.
func becomes(k, later simulator.Kind) simulator.Kind {
	k.Becomes = &later
	return k
}

// rings is a kind that counts the ringing as its duration.
func rings(k simulator.Kind) simulator.Kind {
	k.Ring = 45 * time.Second
	return k
}

func emergency(k simulator.Kind, p simulator.Party, e cdr.Emergency) simulator.Kind {
	k.Party, k.Emergency = p, e
	return k
}

func placedKinds() []simulator.Kind {
	answered := out(420, "answered", cdr.Answered)
	return []simulator.Kind{
		answered,
		becomes(free(out(110, "noanswer", cdr.NoAnswer)), answered),
		rings(free(out(10, "noanswer", cdr.NoAnswer))),
		free(out(60, "busy", cdr.Busy)),
		becomes(free(out(20, "failed", cdr.Failed)), free(out(1, "busy", cdr.Busy))),
		in(out(15, "answered", cdr.Answered), selfParent),
		in(free(out(4, "failed", cdr.Failed)), selfParent),
		in(out(6, "answered", cdr.Answered), otherParent),
		in(out(15, "answered", cdr.Answered), ownNumber),
		in(free(out(5, "failed", cdr.Failed)), ownNumber),
		emergency(free(out(2, "answered", cdr.Answered)), simulator.Dial911, cdr.EmergencyReal),
		emergency(free(out(2, "answered", cdr.Answered)), simulator.Dial933, cdr.EmergencyTest),
		emergency(free(out(1, "failed", cdr.Failed)), simulator.Dial112, cdr.EmergencyReal),
	}
}

// oddPlacedKinds aren't in Wavix's document of 2026.
func oddPlacedKinds() []simulator.Kind {
	return []simulator.Kind{
		out(30, "ANSWERED", cdr.Answered),
		free(out(5, "NoAnswer", cdr.NoAnswer)),
		free(out(15, "rejected", cdr.Rejected)),
		unpriced(out(25, "failed", cdr.Failed)),
		// An unknown value.
		free(out(4, "congestion", cdr.Unknown)),
		// No disposition: the duration says whether it was answered, or nothing does.
		out(10, "", cdr.Answered),
		unpriced(out(4, "", cdr.Unknown)),
		party(out(8, "answered", cdr.Answered), simulator.Label),
		party(unpriced(out(4, "failed", cdr.Failed)), simulator.Null),
		party(unpriced(out(2, "failed", cdr.Failed)), simulator.Empty),
	}
}

// Documented is a mix without what Wavix's document of 2026 doesn't allow. Its rows conform to it in GenerationC, unless the world has
// malformed rows, rows without an id, or revisions, which bring prices that aren't known yet.
func Documented(m *simulator.Mix) *simulator.Mix {
	some := *m
	some.Kinds = slices.DeleteFunc(slices.Clone(m.Kinds), func(k simulator.Kind) bool { return !documented(&k) })
	return &some
}

func documented(k *simulator.Kind) bool {
	known := []string{"answered", "noanswer", "busy", "failed"}
	return slices.Contains(known, k.Phrase) && (k.Free || k.Priced) && k.Party != simulator.Null
}
