package simulator

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Mix is what a feed's traffic is made of. It isn't changed once a world uses it.
type Mix struct {
	// Name keeps feeds of one seed apart: their ids and times differ.
	Name  string
	Kinds []Kind `yaml:"-"`
	// Incident are the kinds that calls turn into while their trunk fails; those of the call's own direction and family are drawn from.
	Incident []Kind  `yaml:"-"`
	Trunks   []Trunk `yaml:"-"`
	Users    []User
	// Prefixes are where numbers come from.
	Prefixes []Prefix
	// Own is where the account's own numbers come from, which are never masked.
	Own Prefix
	// Tariffs are what calls cost; empty for a feed without money.
	Tariffs []Tariff
	// NoCurrency is the label of money whose currency the provider doesn't give.
	NoCurrency string
	// Components are the labels of a version's Usage and Connection.
	Components [2]string
	// MoneyUnit is what an amount of 1 is in millionths of the currency.
	MoneyUnit int64
	// Recordings are the kinds of recordings, drawn from for calls that have one.
	Recordings []Recording
	// Mask stands for the hidden digits of numbers.
	Mask byte
	// Milliseconds gives half of the durations a fraction of a second.
	Milliseconds bool
}

// incidents are what calls of a kind turn into while their trunk fails.
func (m *Mix) incidents(k *Kind) (all []*Kind) {
	for i := range m.Incident {
		if fails := &m.Incident[i]; fails.Family == k.Family && fails.Direction == k.Direction {
			all = append(all, fails)
		}
	}
	return all
}

// Kind is one kind of call: what the provider says of it and what it means by the contract. Both are written down, so that the meaning
// isn't computed.
type Kind struct {
	Weight
	// Wire is the provider's call type, CallType the label.
	Wire      string
	CallType  string        `yaml:"type"`
	Direction cdr.Direction `yaml:"-"`
	Outcome   cdr.Outcome   `yaml:"-"`
	// Success is the provider's flag, where it has one.
	Success          cdr.Bool `yaml:"-"`
	SIPCode, SubCode cdr.Int  `yaml:"-"`
	Phrase           string
	// Family ties the kind to the trunks of the same family.
	Family int
	// Party is what the other party's number looks like.
	Party    Party
	NoUser   bool `yaml:"no_user"`   // calls of voice applications
	NoMedia  bool `yaml:"no_media"`  // calls that say nothing of media bypass and locations
	NoInvite bool `yaml:"no_invite"` // calls whose invite isn't given
	// Fixed is the duration of every such call; zero: drawn, if connected. Instant says that it is zero.
	Fixed   time.Duration
	Instant bool
	// Ring is how long a call that doesn't connect rings at most, which is then its duration.
	Ring       time.Duration
	Free       bool // calls that cost nothing and say so
	Priced     bool // calls that cost money
	SharesCall bool `yaml:"shares_call"` // calls that carry the call id of the one before
	// Becomes is what a revision of the outcome turns the call into; nil: the outcome never changes. It differs in outcome, codes and
	// phrase only.
	Becomes *Kind `yaml:"-"`
	// Emergency is what the call counts as.
	Emergency cdr.Emergency `yaml:"-"`
	Unlisted  bool          // rows that lists leave out
	// Ignored marks rows that aren't calls. They have neither flaws nor revisions.
	Ignored    bool
	Unfinished bool // calls of which the provider never says how they ended
	// Legs are those that the provider lists.
	Legs []Leg `yaml:"-"`
	// LegLabels are the types and outcomes of the legs as they are counted, joined with a bar, for a reader that knows which legs are of queues, or not;
	// nil: those of Legs.
	LegLabels func(queues bool) []string `yaml:"-"`
	// Times are how long persons talked in such a call and how long it was connected, by its legs; nil: as long as the call took.
	Times func(v *Version, queues bool) (talk, connected time.Duration) `yaml:"-"`
	// Plain is what the call is to a reader that doesn't see its legs; nil: the same.
	Plain *Kind `yaml:"-"`
	// Second is the kind of the row that follows: the same call from its other side, with start, duration and versions in common, later by
	// a little. A row at the end of its block may be without. A kind that has one never has flaws, and becomes nothing.
	Second *Kind `yaml:"-"`
	// OwnCall gives a second row another call id.
	OwnCall bool `yaml:"own_call"`
	View    bool `yaml:"-"` // a second row that is a further view of its call, and no call itself (contract, guarantee 1)
	// Detail is what the provider's simulator alone knows of the kind.
	Detail any `yaml:"-"`
}

// Party is what the other party's number looks like, by the name that tables of mixes have for it.
type Party string

// The looks of a number.
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
	Anonymous Party = "anonymous" // that word
	// NoPlus is a number with a country, without its plus; National is one of the US as it is written there, from which no country follows.
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
	// Media and Signaling are where they go; empty: the provider gives null.
	Media, Signaling string
}

// User is one of the account's users.
type User struct{ ID, Principal, Name string }

// Prefix begins the numbers of a place. The numbers are set aside for fiction by the country's regulator, where it does so.
type Prefix struct {
	Weight
	// Digits is the number up to where it is random, with its plus; Random is how many digits follow.
	Digits string
	Random int
	// Country is the label, ISO 3166-1 alpha-2 or 001; Place is the provider's name for it.
	Country, Place string
}

// Tariff is a price in one currency.
type Tariff struct {
	Weight
	Currency string
	// PerMinute is for each begun minute; Connection is for the call.
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
