package sim

import (
	_ "embed" // of the table
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// mixTable is what the traffic is made of: every result and kind of call that the contract distinguishes, and rows that aren't calls.
//
//go:embed mix.txt
var mixTable string

// Mix is traffic of a company's call log.
func Mix() *simulator.Mix {
	return newMix("company", func(w *wire) bool { return w.only != "extension" })
}

// PublishedMix is Mix without the values that are younger than RingCentral's published specification, or that it doesn't have at all.
func PublishedMix() *simulator.Mix {
	return newMix("company", func(w *wire) bool { return w.only != "extension" && !w.fresh })
}

// ExtensionMix is traffic of one extension's call log, where a session can be listed more than once.
func ExtensionMix() *simulator.Mix {
	return newMix("extension", func(w *wire) bool { return w.only != "company" })
}

func newMix(name string, keep func(*wire) bool) *simulator.Mix {
	m := simulator.ReadMix(mixTable, completeKind)
	m.Name, m.Users = "ringcentral "+name, users()
	m.Components, m.NoCurrency, m.Mask, m.Milliseconds = [2]string{"included", "purchased"}, "USD", 'X', true
	drop := func(k simulator.Kind) bool { return !keep(k.Detail.(*wire)) }
	m.Kinds, m.Incident = slices.DeleteFunc(m.Kinds, drop), slices.DeleteFunc(m.Incident, drop)
	return m
}

// wire is what the API says about a kind of row and what the totals don't depend on.
type wire struct {
	// kind is the row's type, direction its direction: that of a call between two extensions is either.
	kind, direction, internalType, transport string
	reason, description                      string
	// message is the type of the linked message, link the member that names the other session of a transfer.
	message, link string
	// bare leaves all but the name out of the user's party.
	bare bool
	// fresh marks values that are younger than RingCentral's published specification; only is the log that has the kind, empty for both.
	fresh bool
	only  string
}

func detailOf(v *simulator.Version) *wire { return v.Kind.Detail.(*wire) }

// legKinds are the kinds of legs by their label.
var legKinds = map[string]simulator.Leg{
	"accept":                    {Wire: "Accept", Action: "Phone Call", Direction: "Inbound", Transport: "PSTN", User: true},
	"find_me":                   {Wire: "FindMe", Action: "FindMe", Direction: "Outbound", Transport: "PSTN", After: 4 * time.Second, User: true},
	"extension_to_extension":    {Wire: "ExtensionToExtension", Action: "VoIP Call", Direction: "Outbound", Transport: "VoIP", User: true},
	"ringout_web_to_subscriber": {Wire: "RingOutWebToSubscriber", Action: "RingOut Web", Direction: "Outbound", Transport: "PSTN"},
	"ringout_web_to_caller":     {Wire: "RingOutWebToCaller", Action: "RingOut Web", Direction: "Outbound", Transport: "PSTN"},
	"sip_to_pstn_metered":       {Wire: "SipToPstnMetered", Action: "VoIP Call", Direction: "Outbound", Transport: "VoIP", User: true},
	"hologram_to_pstn":          {Wire: "HologramToPstn", Action: "Phone Call", Direction: "Inbound", Transport: "PSTN"},
}

// completeKind adds what RingCentral says of a kind.
func completeKind(k *simulator.Kind, o simulator.Options) {
	w := &wire{kind: "Voice", direction: "Inbound", internalType: "LongDistance", transport: "PSTN"}
	k.Detail = w
	leg := "accept"
	if k.Direction == cdr.Outbound {
		w.direction, w.transport, leg = "Outbound", "VoIP", "sip_to_pstn_metered"
	}
	legs := leg + " " + k.Phrase + " " + k.Outcome.String()
	if given, ok := o.Take("legs"); ok {
		legs = given
	}
	kind, ignored := o.Take("type")
	if ignored {
		k.Ignored, k.Family, w.kind, legs = true, 1, kind, ""
		k.Unlisted = kind != "Voice"
	}
	if _, ok := o.Take("internal"); ok {
		k.Direction, k.Party, w.internalType, w.transport = cdr.Internal, simulator.Colleague, "Local", "VoIP"
	}
	reason, _ := o.Take("reason")
	w.reason, w.description, _ = strings.Cut(reason, "/")
	w.message, _ = o.Take("message")
	w.link, _ = o.Take("transfer")
	w.only, _ = o.Take("only")
	_, w.bare = o.Take("bare")
	_, w.fresh = o.Take("fresh")
	addLegs(k, legs)
	if _, ok := o.Take("view"); ok {
		again := *k
		again.View = true
		k.Second = &again
	}
}

// addLegs reads the legs of a kind: of each its kind, its result and its outcome.
func addLegs(k *simulator.Kind, text string) {
	for text != "" {
		var leg string
		leg, text, _ = strings.Cut(text, "; ")
		name, rest, _ := strings.Cut(leg, " ")
		end := strings.LastIndex(rest, " ")
		i := slices.IndexFunc(cdr.Outcomes(), func(o cdr.Outcome) bool { return o.String() == rest[end+1:] })
		l := legKinds[name]
		l.Type, l.Result, l.Outcome = name, rest[:max(end, 0)], cdr.Outcomes()[i]
		k.Legs = append(k.Legs, l)
	}
}

// Historical is a world of exactly n rows that started in [from, to), with the usual delays, copies, revisions, recordings and rows that
// aren't final at first.
func Historical(seed uint64, mix *simulator.Mix, from, to time.Time, n int) simulator.Settings {
	return logged(simulator.Historical(seed, mix, from, to, n))
}

// Live is a world whose calls began at origin and go on, at a number of rows in a second.
func Live(seed uint64, mix *simulator.Mix, origin time.Time, perSecond float64) simulator.Settings {
	return logged(simulator.Live(seed, mix, origin, perSecond))
}

func logged(s simulator.Settings) simulator.Settings {
	s.NewestFirst = true
	s.InProgress, s.Unsaid, s.Recorded, s.RecordedLate = 0.05, 0.02, 0.2, 0.5
	return s
}

// users are the account's extensions: the id, the extension's number, the name.
func users() []simulator.User {
	return simulator.Users([]string{"Alex", "Robin", "Kim", "Sam", "Jo", "Chris"}, []string{"Example", "Sample", "Muster"},
		func(i, j int, first, last string) simulator.User {
			return simulator.User{ID: fmt.Sprint(62264425016 + 1000*(3*i+j)), Principal: fmt.Sprint(101 + 3*i + j), Name: first + " " + last}
		})
}
