package simulator

import "time"

// Call is the facts of one call. Facts that a revision may change are in its versions. It is reused
// for each row: copy it to keep it.
type Call struct {
	// Block and Number are the call's place in its world.
	Block  int64
	Number int

	// ID is the row's id, CallID the call's id, which rows can share.
	ID, CallID UUID
	// NoID says that the row comes without its id.
	NoID bool
	// Flaw is the fault of a malformed row; none for a valid one.
	Flaw Flaw
	// Copies is how often the row is listed.
	Copies int

	Trunk *Trunk
	// User is nil for voice applications, Peer nil if the other party isn't a user.
	User, Peer *User
	// Recording is nil if the call wasn't recorded.
	Recording *Recording

	// Invite is zero if the provider doesn't give it.
	Invite, Start time.Time

	// Other is the external party's number, Own the account's. NoOther says that the provider sends
	// none, not even an empty text.
	Other, Own string
	NoOther    bool
	// Prefix is the origin of the other party's number; may be nil.
	Prefix *Prefix

	versions  [maxVersions]Version
	published int
}

// Versions are the published versions of the call, in order; there is at least one.
func (c *Call) Versions() []Version { return c.versions[:c.published] }

// SetVersions replaces the versions, for calls that a provider's simulator derives from others.
func (c *Call) SetVersions(list ...Version) { c.published = copy(c.versions[:], list) }

// maxVersions is the largest number of versions of a call.
const maxVersions = 5

// Version is a call as the provider shows it after Published.
type Version struct {
	Published time.Time
	Kind      *Kind
	Duration  time.Duration
	// Usage and Connection are charges.
	Usage, Connection Price
	// Currency is empty if the provider gives none.
	Currency string
	// Incomplete says that the user's names, which arrive late, are still null. Nothing that is
	// counted depends on them.
	Incomplete bool
	// InProgress says that the row isn't final: the call continues.
	InProgress bool
	// Recorded says that the version has the call's recording.
	Recorded bool
}

// End is when a version of a connected call ended, or when a failed one failed.
func (c *Call) End(v *Version) time.Time { return c.Start.Add(v.Duration) }

// Price is an amount that may be unknown.
type Price struct {
	Amount Amount
	Known  bool
}

// At is the index of the version that is visible at an instant, from 0; -1 if the call isn't
// published yet.
func (c *Call) At(t time.Time) int {
	last := c.published - 1
	for last >= 0 && c.versions[last].Published.After(t) {
		last--
	}
	return last
}

// Flaw is the fault of a malformed row.
type Flaw uint8

// The flaws. A row with any of them must be counted as invalid.
const (
	NoFlaw      Flaw = iota
	NotAnObject      // a row that is a string
	Truncated        // a row with only id and type
	BadTime          // a start that isn't a time
)

// Started is the text of the call's start, or nonsense if that is the row's flaw.
func (c *Call) Started(text string) string {
	if c.Flaw == BadTime {
		return "yesterday"
	}
	return text
}
