package counting

import (
	"encoding/binary"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
)

// Some facts don't wait for their call, and count once for all its legs: that it is an emergency,
// and an attempt on a trunk's channel. Such a fact is remembered under the key of the call. A record
// whose children came first also finds it under its own keys.

// callFact is the key of a fact of a call: an attempt on a channel or, without one, an emergency.
func (d *Decision) callFact(call Hash, channel trunkChannel) Hash {
	if channel.channel == "" {
		return d.hasher.pair(kindEmergency, call, 0)
	}
	//nolint:gosec // a hash
	return d.hasher.pair(kindAttempt, call, int64(d.hasher.keyOf(kindAttempt, channel.trunk, channel.channel)))
}

// addCallFactKeys adds the keys of all facts that a leg may count for its call, which may be under any of these keys.
func (d *Decision) addCallFactKeys(keys *Keys, e *entry, calls ...Hash) {
	buckets := d.factBuckets(e.record.Start)
	add := func(channel trunkChannel) {
		for _, key := range calls {
			if asked := (callAsked{d.callFact(key, channel), 0}); !d.asked[asked] {
				d.asked[asked] = true
				keys.IDs = append(keys.IDs, Key{asked.key, buckets})
			}
		}
	}
	if e.record.Emergency != cdr.NoEmergency || d.settings.Parents { // bindCall passes on what children said
		add(trunkChannel{})
	}
	for _, channel := range channels(e.record) {
		if channel.channel != "" {
			add(channel)
		}
	}
}

// isNewToCall says whether no leg of the record's call has had a fact yet, and remembers the fact.
func (d *Decision) isNewToCall(e *entry, root Hash, channel trunkChannel) bool {
	start := e.record.Start
	if d.hasCallFact(root, channel, start) {
		return false
	}
	isKnown := false
	for _, name := range append(d.path(e.call), e.names...) {
		isKnown = isKnown || d.hasCallFact(name, channel, start)
	}
	d.keepCallFact(root, channel, start)
	return !isKnown
}

// keepCallFact remembers a fact of a call, and when its leg started.
func (d *Decision) keepCallFact(call Hash, channel trunkChannel, start time.Time) {
	st := d.newState(Place{d.factBucket(start), d.callFact(call, channel)})
	d.keepState(st, func(dst []byte) []byte { return binary.AppendVarint(append(dst, rowFact), start.UnixMicro()) })
}

// hasCallFact says whether a fact of a call is known. Systems use call keys again: a fact that is
// more than two days away is another call's.
func (d *Decision) hasCallFact(call Hash, channel trunkChannel, start time.Time) bool {
	st := d.states[d.callFact(call, channel)]
	if st == nil {
		return false
	}
	at, n := binary.Varint(st.Data[1:])
	return n > 0 && start.Sub(time.UnixMicro(at)).Abs() <= calls.Longest
}

// passEmergency notes that the call under a key is an emergency call if the one is that leads to it now.
func (d *Decision) passEmergency(from, to Hash, start time.Time) {
	if !d.hasCallFact(from, trunkChannel{}, start) || d.hasCallFact(to, trunkChannel{}, start) {
		return
	}
	data := d.states[d.callFact(from, trunkChannel{})].Data
	d.keepState(d.newState(Place{d.factBucket(start), d.callFact(to, trunkChannel{})}),
		func(dst []byte) []byte { return append(dst, data...) })
}

// rootInPage is the key of the call to which the parents that the ledger knows and those on the page lead.
func (d *Decision) rootInPage(key Hash) Hash {
	path := d.path(key)
	return path[len(path)-1]
}

// path are the keys from one to the call to which the parents that the ledger knows and those on the page lead.
func (d *Decision) path(key Hash) (path []Hash) {
	path = append(path, key)
	if !d.settings.Parents {
		return path
	}
	for range longestChain {
		to := d.linkedTo(key)
		if to == 0 {
			to = d.leads[key]
		}
		if to == 0 {
			break
		}
		path, key = append(path, to), to
	}
	return path
}
