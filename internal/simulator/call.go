package simulator

import "time"

// Call is the facts of one call. Those that a revision may change are in its versions. It is filled anew for each row: who keeps one copies
// it.
type Call struct {
	// Block and Number are the call's place in its world.
	Block  int64
	Number int

	// ID is the row's, CallID the call's, which rows can share.
	ID, CallID UUID
	// NoID says that the row comes without its id.
	NoID bool
	// Flaw is what is wrong with the row; none for a valid one.
	Flaw Flaw
	// Copies is how many times the row is listed.
	Copies int

	Trunk *Trunk
	// User is nil for voice applications, Peer nil if the other party isn't a user.
	User, Peer *User
	// Second says that the row is the second of its call; Partner is the call id of the other row of the two, if that has another.
	Second  bool
	Partner UUID
	// Recording is nil if the call wasn't recorded. Both rows of a call share it.
	Recording *Recording

	// Invite is zero if the provider doesn't give it.
	Invite, Start time.Time

	// Other is the external party's number, Own the account's. NoOther says that the provider gives none, not even an empty text.
	Other, Own string
	NoOther    bool
	// Prefix is where the other party's number comes from; nil for none.
	Prefix *Prefix

	versions  [maxVersions]Version
	published int
}

// Versions are what the call was published as, in order; at least one.
func (c *Call) Versions() []Version { return c.versions[:c.published] }

// SetVersions replaces the versions, for calls that a provider's simulator derives from others.
func (c *Call) SetVersions(list ...Version) { c.published = copy(c.versions[:], list) }

// maxVersions is how often a call is published at most.
const maxVersions = 5

// Version is a call as the provider shows it from Published on.
type Version struct {
	Published time.Time
	Kind      *Kind
	Duration  time.Duration
	// Usage and Connection are charges.
	Usage, Connection Price
	// Currency is empty if the provider gives none.
	Currency string
	// Incomplete says that fields which arrive late are still null: the user's names. Nothing that is counted depends on them.
	Incomplete bool
	// State says whether the provider has finished the row.
	State State
	// Recorded says that the version has the call's recording.
	Recorded bool
}

// End is when a version of a connected call ended, or when one that didn't connect failed.
func (c *Call) End(v *Version) time.Time { return c.Start.Add(v.Duration) }

// Price is an amount that may not be known.
type Price struct {
	Amount Amount
	Known  bool
}

// At is the version that is visible at an instant, counted from 0; -1 if the call isn't published yet.
func (c *Call) At(t time.Time) int {
	last := c.published - 1
	for last >= 0 && c.versions[last].Published.After(t) {
		last--
	}
	return last
}

// Flaw is what is wrong with a malformed row.
type Flaw uint8

// The flaws. Each makes a row that must be counted as invalid.
const (
	NoFlaw           Flaw = iota
	WrongType             // a boolean where a number belongs
	ObjectForString       // an object where a string belongs
	NotAnObject           // a row that is a string
	Truncated             // a row of which only id and type are left
	BadTime               // a start that isn't a time
	ImpossibleTime        // a start on a day that doesn't exist
	NullStart             // a start that is null
	NegativeDuration      // a duration below zero
	NumericID             // an id that is a number
)

// Spoil changes the members of a row that its flaw is in: its id, its start, its duration or a text.
func (c *Call) Spoil(id, start, duration, text *any) {
	switch c.Flaw {
	case WrongType:
		*duration = true
	case ObjectForString:
		*text = NewObject("name", "hidden")
	case BadTime:
		*start = "yesterday"
	case ImpossibleTime:
		*start = "2026-02-30T25:61:00Z"
	case NullStart:
		*start = nil
	case NegativeDuration:
		*duration = -5
	case NumericID:
		*id = c.Place()
	default: // the row is no object, or nearly empty
	}
}
