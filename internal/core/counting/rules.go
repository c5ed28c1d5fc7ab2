package counting

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Rules are the properties of a feed's records that counting depends on. A provider declares them;
// none depends on a feed's name.
type Rules struct {
	// Grows says that later versions of a record, which the provider numbers, have more of its call.
	// Its start may move by more than minutes: it is found at any start up to two days after its
	// first one (counting.md 15). Media bypass and visits to queues count once it has settled, and an
	// emergency with the version that first says so. A task names a version: it isn't needed when that
	// version is known, or a greater one. Such a record has one id.
	Grows bool
	// ByArrival says that the feed is read in the order in which records appeared, not by their
	// start. The ledger finds a record as long as it keeps the id. A record is too old only if it
	// starts before the feed's origin.
	ByArrival bool
	// Legs says that several records may be legs of one call: they have a call key, or name a
	// parent. Such a call counts when it is whole.
	Legs bool
	// Parents says that a record may name another as its parent, whose call key it shares.
	Parents bool
	// Whole says that a call needs a leg with cdr.Record.Whole before it counts.
	Whole bool
	// ChargesLater says that a connected call's charges may come with a later version than the
	// first final one: its spans wait for them.
	ChargesLater bool
	// CallFeed is the feed of the same source that has a record of each call. Its record id is this
	// feed's call id. Empty: there is none.
	CallFeed string
	// NoReasons says that records don't say why a call didn't connect: not_connected is an attempt then.
	NoReasons bool
}

// FoundAnywhere says that records aren't remembered by the hour of their start.
func (r *Rules) FoundAnywhere() bool { return r.ByArrival || r.Grows }

// Settings are a feed's settings for decisions.
type Settings struct {
	Rules
	Source, Provider, Feed string
	// Currency stands in for a currency that the provider doesn't give.
	Currency string
	// History is how far back the first start reads.
	History time.Duration
	// Lookback is how late a record may be published.
	Lookback time.Duration
	// LateAfter: a call is late if it was first seen more than this after its end.
	LateAfter time.Duration
	// Settle is how long no new leg must have come before a call of a feed with Legs counts.
	// WholeAfter is how long after its latest time neither an open leg nor a missing one holds it.
	Settle, WholeAfter time.Duration
	// Lead is how long before its origin a feed with Legs is read, so that a later leg of an earlier
	// call doesn't count as another call.
	Lead time.Duration
	// ReadsRanges says that ranges of starts are read, as a history does, even if the feed is read by arrival
	// otherwise: the place of a record says nothing of when it came.
	ReadsRanges bool
	// Redactor redacts records that wait; nil: nothing is removed.
	Redactor *cdr.Redactor
	// Traces asks for the spans of calls, TracesHistory also for those of calls that the feed's first history brings.
	Traces, TracesHistory bool
}

// KeepsIDs is how long before the watermark the floor lies at most: 1.25·lookback + 2 days (counting.md 5).
func (s *Settings) KeepsIDs() time.Duration { return s.Lookback + s.Lookback/4 + 48*time.Hour }
