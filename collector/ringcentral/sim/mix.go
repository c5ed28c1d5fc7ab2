package sim

import (
	"cmp"
	_ "embed" // embeds the table
	"fmt"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// mixTable describes the traffic: every result and kind of call that docs/providers/ringcentral.md distinguishes,
// and rows that aren't calls.
//
//go:embed mix.yaml
var mixTable string

// Mix is the traffic of a company's call log.
func Mix() *simulator.Mix {
	return newMix("company", func(w *wire) bool { return w.Only != "extension" })
}

// PublishedMix is Mix without values that are newer than RingCentral's published specification, or
// missing in it.
func PublishedMix() *simulator.Mix {
	return newMix("company", func(w *wire) bool { return w.Only != "extension" && !w.Fresh })
}

// ExtensionMix is the traffic of one extension's call log, which may list a session more than once.
func ExtensionMix() *simulator.Mix {
	return newMix("extension", func(w *wire) bool { return w.Only != "company" })
}

func newMix(name string, keep func(*wire) bool) *simulator.Mix {
	m := simulator.ReadMix(complete, mixTable)
	m.Name, m.Users = "ringcentral "+name, users()
	m.Components, m.NoCurrency, m.Mask, m.Milliseconds = [2]string{"included", "purchased"}, "USD", 'X', true
	drop := func(k simulator.Kind) bool { return !keep(k.Detail.(*wire)) }
	m.Kinds, m.Incident = slices.DeleteFunc(m.Kinds, drop), slices.DeleteFunc(m.Incident, drop)
	for _, kinds := range [][]simulator.Kind{m.Kinds, m.Incident} {
		for i := range kinds {
			k := &kinds[i]
			judgeLegs(k, name == "extension")
			if k.Becomes != nil {
				judgeLegs(k.Becomes, name == "extension")
			}
		}
	}
	return m
}

// wire has the API's values for a kind of row, as far as the totals don't depend on them.
type wire struct {
	Reason, Description string
	// Message is the type of the linked message.
	Message string
	// Bare says that the user's party has only a name.
	Bare bool
	// Fresh marks values that are newer than RingCentral's published specification, or missing in
	// it. Only is the log that has the kind, empty for both.
	Fresh bool
	Only  string
	// Row is the row's type, for a row that isn't a call.
	Row string
	// Internal marks calls between two extensions without numbers.
	Internal bool
	// Legs are the row's legs; the first describes the whole call. Nil means one leg.
	Legs []legRow
	// Visits are the visits to queues that the legs show. A call's queues are Queues in turn,
	// starting with the one that its number gives.
	Visits []visit

	// direction is the row's direction; a call between two extensions may have either.
	direction, internalType, transport string
}

// legRow is a leg of the table. After is how long after the call's start it begins, unless zero.
// Queue is the number of its queue, from 1.
type legRow struct {
	Type, Result, Outcome string
	After                 time.Duration
	Queue                 int
}

// visit is how a visit ended and how long it took. If it has no wait, Lasts is the leg with the
// same duration.
type visit struct {
	Result string
	Wait   time.Duration
	Lasts  int
}

func detailOf(v *simulator.Version) *wire { return v.Kind.Detail.(*wire) }

// legKinds maps labels to kinds of legs.
var legKinds = map[string]simulator.Leg{
	"accept": {
		Wire: "Accept", Action: "Phone Call", Direction: "Inbound", Transport: "PSTN",
		User: true,
	},
	"find_me": {
		Wire: "FindMe", Action: "FindMe", Direction: "Outbound", Transport: "PSTN",
		After: 4 * time.Second, User: true,
	},
	"extension_to_extension": {
		Wire: "ExtensionToExtension", Action: "VoIP Call", Direction: "Outbound",
		Transport: "VoIP", User: true,
	},
	"ringout_web_to_subscriber": {
		Wire: "RingOutWebToSubscriber", Action: "RingOut Web", Direction: "Outbound",
		Transport: "PSTN",
	},
	"ringout_web_to_caller": {
		Wire: "RingOutWebToCaller", Action: "RingOut Web", Direction: "Outbound",
		Transport: "PSTN",
	},
	"sip_to_pstn_metered": {
		Wire: "SipToPstnMetered", Action: "VoIP Call", Direction: "Outbound",
		Transport: "VoIP", User: true,
	},
	"hunting": {
		Wire: "Hunting", Action: "Phone Call", Direction: "Inbound", Transport: "PSTN",
		After: 2 * time.Second,
	},
	"hologram_to_pstn": {
		Wire: "HologramToPstn", Action: "Phone Call", Direction: "Inbound",
		Transport: "PSTN",
	},
}

// complete adds RingCentral's values to a kind.
func complete(k *simulator.Kind, w *wire) {
	w.direction, w.internalType, w.transport = "Inbound", "LongDistance", "PSTN"
	leg := "accept"
	if k.Direction == cdr.Outbound {
		w.direction, w.transport, leg = "Outbound", "VoIP", "sip_to_pstn_metered"
	}
	for _, row := range w.Legs {
		l := newLeg(row.Type, row.Result, simulator.Named(row.Outcome, cdr.Outcomes()...))
		l.After = cmp.Or(row.After, l.After)
		k.Legs = append(k.Legs, l)
	}
	switch {
	case w.Row != "":
		k.Ignored, k.Family = true, 1
	case w.Legs == nil:
		k.Legs = []simulator.Leg{newLeg(leg, k.Phrase, k.Outcome)}
	}
	if w.Internal {
		k.Direction, k.Party, w.internalType, w.transport = cdr.Internal, simulator.Colleague, "Local", "VoIP"
	}
}

func newLeg(kind, result string, outcome cdr.Outcome) simulator.Leg {
	l := legKinds[kind]
	l.Type, l.Result, l.Outcome = kind, result, outcome
	return l
}

// Historical is a world of exactly n rows that started in [from, to), with the usual delays,
// copies, revisions, recordings and rows of calls in progress.
func Historical(seed uint64, mix *simulator.Mix, from, to time.Time, n int) simulator.Settings {
	return logged(simulator.Historical(seed, mix, from, to, n))
}

// Live is a world whose calls start at origin and never end, with a number of rows a second.
func Live(seed uint64, mix *simulator.Mix, origin time.Time, perSecond float64) simulator.Settings {
	return logged(simulator.Live(seed, mix, origin, perSecond))
}

func logged(s simulator.Settings) simulator.Settings {
	s.NewestFirst = true
	s.InProgress, s.Recorded, s.RecordedLate = 0.05, 0.2, 0.5
	return s
}

// users are the account's extensions: the id, the extension's number, the name.
func users() []simulator.User {
	return simulator.Users([]string{"Alex", "Robin", "Kim", "Sam", "Jo", "Chris"},
		[]string{"Example", "Sample", "Muster"},
		func(i, j int, first, last string) simulator.User {
			return simulator.User{
				ID: fmt.Sprint(62264425016 + int64(1000*(3*i+j))), Principal: fmt.Sprint(101 + 3*i + j),
				Name: first + " " + last,
			}
		})
}
