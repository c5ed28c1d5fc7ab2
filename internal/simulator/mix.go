package simulator

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Mix describes a feed's traffic. It isn't changed once a world uses it.
type Mix struct {
	// Name keeps feeds with the same seed apart: their ids and times differ.
	Name  string
	Kinds []Kind `yaml:"-"`
	// Incident are the kinds of calls while their trunk fails. A call draws from the kinds of its
	// direction and family.
	Incident []Kind  `yaml:"-"`
	Trunks   []Trunk `yaml:"-"`
	Users    []User
	// Prefixes are the origins of numbers.
	Prefixes []Prefix
	// Own is the origin of the account's own numbers, which are never masked.
	Own Prefix
	// Tariffs are the prices of calls; empty for a feed without money.
	Tariffs []Tariff
	// NoCurrency is the label of money without a currency from the provider.
	NoCurrency string
	// Components are the labels of a version's Usage and Connection.
	Components [2]string
	// MoneyUnit is an amount of 1 in millionths of the currency.
	MoneyUnit int64
	// Recordings are the kinds of recordings of recorded calls.
	Recordings []Recording
	// Mask replaces the hidden digits of numbers.
	Mask byte
	// Milliseconds gives half of the durations a fraction of a second.
	Milliseconds bool
}

// incidents are what calls of a kind become while their trunk fails.
func (m *Mix) incidents(k *Kind) (all []*Kind) {
	for i := range m.Incident {
		if fails := &m.Incident[i]; fails.Family == k.Family && fails.Direction == k.Direction {
			all = append(all, fails)
		}
	}
	return all
}

// Kind is one kind of call: the provider's values and their meaning by docs/metrics.md. Both are
// written down, so that the meaning isn't computed.
type Kind struct {
	Weight
	// Wire is the provider's call type, CallType the label.
	Wire      string
	CallType  string        `yaml:"type"`
	Direction cdr.Direction `yaml:"-"`
	Outcome   cdr.Outcome   `yaml:"-"`
	// Success is the provider's flag, if it has one.
	Success          cdr.Bool `yaml:"-"`
	SIPCode, SubCode cdr.Int  `yaml:"-"`
	Phrase           string
	// Family ties the kind to the trunks of the same family.
	Family int
	// Party is the form of the other party's number.
	Party    Party
	NoUser   bool `yaml:"no_user"`   // for calls of voice applications
	NoMedia  bool `yaml:"no_media"`  // for calls without media bypass and locations
	NoInvite bool `yaml:"no_invite"` // for calls without an invite
	// Fixed is the duration of every such call; if zero, connected calls get a random one. Instant
	// says that it is zero.
	Fixed   time.Duration
	Instant bool
	// Ring is the longest ringing of a call that doesn't connect, which is then its duration.
	Ring       time.Duration
	Free       bool // for calls with an explicit price of zero
	Priced     bool // for calls that cost money
	SharesCall bool `yaml:"shares_call"` // for calls with the previous call's id
	// Becomes is what a revision of the outcome turns the call into; nil if the outcome never
	// changes. It differs in outcome, codes and phrase only.
	Becomes *Kind `yaml:"-"`
	// Emergency is what the call counts as.
	Emergency cdr.Emergency `yaml:"-"`
	// Ignored marks rows that aren't calls. They have neither flaws nor revisions.
	Ignored bool
	// Legs are the legs that the provider lists.
	Legs []Leg `yaml:"-"`
	// LegLabels are the counted types and outcomes of the legs, joined with a bar, for a reader
	// that knows which legs are of queues, or not; nil means those of Legs.
	LegLabels func(queues bool) []string `yaml:"-"`
	// Times are the talk time of persons, if any answered, and the connected time, by the call's legs;
	// nil means the call's duration.
	Times func(v *Version, queues bool) (talk cdr.Length, connected time.Duration) `yaml:"-"`
	// Detail is the provider simulator's own data about the kind.
	Detail any `yaml:"-"`
}

// Party is the form of the other party's number, by its name in tables of mixes.
type Party string

// The forms of a number.
const (
	Geographic Party = "" // a number with a country; some have masked digits
	// Label is a caller's name instead of a number.
	Label Party = "label"
	Empty Party = "empty" // an empty string
	Null  Party = "null"
	// Emergency numbers as they are dialled.
	Dial911   Party = "911"
	Dial933   Party = "933"
	Dial112   Party = "112"
	Anonymous Party = "anonymous" // the word itself
	// NoPlus is a number with a country, without its plus; National is a US number in national
	// form, which doesn't show its country.
	NoPlus    Party = "no_plus"
	National  Party = "national"
	Short     Party = "short"     // an extension's number
	Colleague Party = "colleague" // another user, without a number
)

// Trunk is an SBC, or the operator of a calling plan.
type Trunk struct {
	Weight
	// Wire is the provider's spelling, Name the label.
	Wire, Name string
	Family     int
	// Bypass is whether media bypasses.
	Bypass cdr.Bool `yaml:"-"`
	// Media and Signaling are their locations; empty if the provider sends null.
	Media, Signaling string
}

// User is one of the account's users.
type User struct{ ID, Principal, Name string }

// Prefix is the start of a place's numbers. They are reserved for fiction by the country's
// regulator, where it does so.
type Prefix struct {
	Weight
	// Digits is the number's constant part, with its plus; Random is how many digits follow.
	Digits string
	Random int
	// Country is the label, ISO 3166-1 alpha-2 or 001; Place is the provider's name for it.
	Country, Place string
}

// Tariff is a price in one currency.
type Tariff struct {
	Weight
	Currency string
	// PerMinute is for each started minute; Connection is for the call.
	PerMinute  Amount `yaml:"per_minute"`
	Connection Amount
}

// Users makes a user of each pair of names.
func Users(first, last []string, user func(i, j int, first, last string) User) (all []User) {
	for i, f := range first {
		for j, l := range last {
			all = append(all, user(i, j, f, l))
		}
	}
	return all
}
