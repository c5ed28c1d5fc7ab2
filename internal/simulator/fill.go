package simulator

import (
	"encoding/binary"
	"time"
)

// The streams of random numbers of one call.
const (
	factsOf = 0xca11 << 32
	callIDs = 0x1d << 40
)

func (w *World) fill(c *Call, block int64, number int) {
	m := w.s.Mix
	d := newDraws(w.s.Seed, uint64(block), factsOf|uint64(number))
	*c = Call{Block: block, Number: number, Copies: 1}
	from, to := w.bounds(block)
	// Calls of a block start in the order of their numbers.
	count := int64(w.count(block))
	start := from + (int64(number)*(to-from)+d.below(to-from))/count
	c.Start = time.UnixMilli(start).UTC()
	c.ID = d.UUID()

	kind := Pick(&d, m.Kinds)
	c.Trunk = Pick(&d, w.trunks[kind.Family])
	if loses := w.failing(c.Trunk, start); loses > 0 && d.Hits(loses) {
		if fails := m.incidents(kind); len(fails) > 0 {
			kind = *Pick(&d, fails)
		}
	}
	// A trunk that fails changes the kind, and so whether the call shares the previous call's id.
	c.CallID = w.callID(block, number, kind.SharesCall)
	if !kind.NoUser {
		c.User = &m.Users[d.Below(len(m.Users))]
	}
	c.setOther(kind.Party, m, &d)
	c.Own = m.Own.number(0, 0, &d)
	if !kind.NoInvite {
		c.Invite = c.Start.Add(-setup(kind, &d))
	}
	w.publish(c, kind, &d)
	w.spoil(c, &d)
	w.extend(c, &d)
}

// callID is the id of a call, or of the previous one in the block. Its first 48 bits are the call's
// place, for CallByID.
func (w *World) callID(block int64, number int, shared bool) UUID {
	if shared && number > 0 {
		number--
	}
	d := newDraws(w.s.Seed, uint64(block), callIDs|uint64(number))
	id := d.UUID()
	first := binary.BigEndian.AppendUint64(nil, (placeOf(block, number)^w.s.Seed)<<16)
	copy(id[:6], first)
	return id
}

// setup is the time from invite to start: calls that didn't connect started when they were
// signalled.
func setup(kind *Kind, d *Draws) time.Duration {
	if !kind.Outcome.Connected() {
		return 0
	}
	if d.below(10) == 0 {
		return d.Duration(15*time.Second, 45*time.Second)
	}
	return d.Duration(200*time.Millisecond, 15*time.Second)
}

// longestTalk is the longest duration of a call whose kind doesn't give it.
const longestTalk = 8 * time.Hour

// talk draws the duration of a connected call, in whole seconds: some take a moment, most take
// minutes, one in two thousand takes eight hours.
func talk(d *Draws) time.Duration {
	var seconds int64
	switch p := d.below(2000); {
	case p == 0:
		return longestTalk
	case p < 100:
		seconds = d.between(1, 9)
	case p < 1300:
		seconds = d.between(10, 180)
	case p < 1900:
		seconds = d.between(180, 1200)
	default:
		seconds = d.between(1200, 5400)
	}
	return time.Duration(seconds) * time.Second
}

// drawDuration is a version's duration by its kind.
func (k *Kind) drawDuration(d *Draws) time.Duration {
	switch {
	case k.Instant:
		return 0
	case k.Fixed != 0:
		return k.Fixed
	case k.Outcome.Connected():
		return talk(d)
	}
	return time.Duration(d.between(0, int64(k.Ring/time.Second))) * time.Second
}

// spoil draws copies, flaws and missing ids.
func (w *World) spoil(c *Call, d *Draws) {
	kind := c.versions[0].Kind
	switch {
	case kind.Ignored:
		c.published = 1
	case d.Hits(w.s.Malformed):
		c.Flaw = 1 + Flaw(d.Below(int(BadTime)))
		c.published = 1
	case d.Hits(w.s.NoID):
		c.NoID = true
		c.published = 1
		return
	}
	if d.Hits(w.s.Duplicated) {
		c.Copies = 2
	}
}
