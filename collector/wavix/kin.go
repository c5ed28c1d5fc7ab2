package wavix

import (
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	// maxFailed bounds how many failed calls are remembered: two sets of so many, the
	// older of which is let go of when the newer is full.
	maxFailed = 200_000
	// maxParts bounds the records that are kept back in a read. What is beyond comes
	// before its parent may have.
	maxParts = 100_000
)

// kin gives parents their type. A row names its parent by the bare id, and an id is
// known by its type, since both types may have it. The parent of a part is of the other
// type, as that of a leg that a forwarded call makes, unless a failed call of the part's
// own type has the id: only whether a parent failed matters (guarantee 3).
//
// Parts are kept back until both types were read, so that their parents are known and
// counted before them.
type kin struct {
	hash          func(string) uint64
	failed, older map[uint64]struct{}
	parts         []*cdr.Record
	// since is when the first read ended that failed with parts kept back.
	since time.Time
}

func newKin(hash func(string) uint64) *kin {
	return &kin{hash: hash, failed: map[uint64]struct{}{}}
}

// note remembers a record if it failed.
func (k *kin) note(r *cdr.Record) {
	if r.Outcome.Connected() || r.ID == "" {
		return
	}
	if len(k.failed) >= maxFailed {
		k.failed, k.older = map[uint64]struct{}{}, k.failed
	}
	k.failed[k.hash(r.ID)] = struct{}{}
	for _, id := range r.AltIDs {
		k.failed[k.hash(id)] = struct{}{}
	}
}

func (k *kin) hasFailed(id string) bool {
	hash := k.hash(id)
	_, now := k.failed[hash]
	_, before := k.older[hash]
	return now || before
}

// keep keeps a part back, as a copy, and says whether there was room for it.
func (k *kin) keep(r *cdr.Record) bool {
	if len(k.parts) >= maxParts {
		return false
	}
	k.parts = append(k.parts, cloneRecord(r))
	return true
}

// forget lets go of the parts, which will be read again.
func (k *kin) forget() { k.parts, k.since = nil, time.Time{} }

// overdue says, after a read that failed, whether the parts have waited for too long.
func (k *kin) overdue(now time.Time) bool {
	if k.since.IsZero() && len(k.parts) > 0 {
		k.since = now
	}
	return len(k.parts) > 0 && now.Sub(k.since) > maxWait
}

// release returns the parts that were kept back, with the keys of their parents.
func (k *kin) release() []*cdr.Record {
	parts := k.parts
	k.forget()
	for _, r := range parts {
		k.resolve(r)
	}
	return parts
}

// resolve adds the type to a record's parent.
func (k *kin) resolve(r *cdr.Record) {
	other := kindPlaced
	if r.CallType == kindPlaced {
		other = kindReceived
	}
	parent := other + ":" + r.Parent
	if same := r.CallType + ":" + r.Parent; k.hasFailed(same) && !k.hasFailed(parent) {
		parent = same
	}
	r.Parent = parent
}

// cloneRecord is a copy whose texts are its own.
func cloneRecord(r *cdr.Record) *cdr.Record {
	c := *r
	for _, text := range []*string{
		&c.ID, &c.Synthetic, &c.CallID, &c.Parent, &c.CallerNumber, &c.CalleeNumber,
	} {
		*text = strings.Clone(*text)
	}
	c.AltIDs = slices.Clone(r.AltIDs)
	for i, id := range c.AltIDs {
		c.AltIDs[i] = strings.Clone(id)
	}
	c.Charges, c.Extra = slices.Clone(r.Charges), slices.Clone(r.Extra)
	for i := range c.Extra {
		c.Extra[i].Str = strings.Clone(c.Extra[i].Str)
	}
	c.Recordings, c.Legs = nil, nil
	return &c
}
