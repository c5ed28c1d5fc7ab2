package simulator

import "time"

// mostBehind is the longest time between the publications of the first and the second row.
const mostBehind = 3 * time.Minute

// secondRows is the stream of random numbers of second rows.
const secondRows = 0x5ec0 << 32

// fillSecond makes the second row of the previous call, if it has one. Only rows with odd numbers
// can be second.
func (w *World) fillSecond(c *Call, block int64, number int) bool {
	if number%2 == 0 || w.draws(block, number-1).Second == nil {
		return false
	}
	w.fillFirst(c, block, number-1)
	kind := c.versions[0].Kind.Second
	if kind == nil { // its trunk failed
		return false
	}
	d := newDraws(w.s.Seed, uint64(block), uint64(secondRows|number))
	c.Number, c.Second, c.Copies = number, true, 1
	c.ID = d.UUID()
	if d.Hits(w.s.Duplicated) {
		c.Copies = 2
	}
	if kind.OwnCall {
		c.CallID, c.Partner = c.Partner, c.CallID
		c.Recording = nil
	}
	c.turn(kind, w, &d)
	w.delay(c, &d)
	for i := range c.Versions() {
		v := &c.versions[i]
		v.Kind = kind
		if kind.OwnCall {
			v.Recorded = false
		}
		if kind.Free {
			v.Usage, v.Connection, v.Currency = Price{Known: true}, Price{Known: true}, ""
		}
	}
	return true
}

// draws is the kind that the call at a place starts with.
func (w *World) draws(block int64, number int) *Kind {
	d := newDraws(w.s.Seed, uint64(block), uint64(factsOf|number))
	for range 3 { // skip the start and the id
		d.pcg.Uint64()
	}
	return &w.s.Mix.Kinds[w.kinds.draw(&d)]
}

// turn shows a call from its other side.
func (c *Call) turn(kind *Kind, w *World, d *Draws) {
	if kind.Party == Colleague && c.Peer != nil {
		c.User, c.Peer = c.Peer, c.User
		return
	}
	if kind.Party != Geographic || c.Prefix == nil {
		c.Prefix, c.Peer, c.Other, c.NoOther = nil, nil, "", false
		c.setOther(kind.Party, w.s.Mix, d)
	}
}

// delay publishes all versions later, by little for most calls and by minutes for some.
func (w *World) delay(c *Call, d *Draws) {
	by := d.Duration(0, 500*time.Millisecond)
	if d.below(20) == 0 {
		by = d.Duration(time.Second, mostBehind)
	}
	first, last := &c.versions[0], &c.versions[c.published-1]
	over := first.State == InProgress && !first.Published.Add(by).Before(c.End(c.final()))
	if over || w.tooLate(c, last.Published.Add(by)) {
		return
	}
	for i := range c.Versions() {
		c.versions[i].Published = c.versions[i].Published.Add(by)
	}
}
