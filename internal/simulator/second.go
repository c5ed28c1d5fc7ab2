package simulator

import "time"

// mostBehind is the longest time between the publications of the first and the second row.
const mostBehind = 3 * time.Minute

// secondRows is the stream of random numbers of second rows.
const secondRows = 0x5ec0 << 32

// fillSecond makes the second row of the previous call, if it has one. Only rows with odd numbers
// can be second.
func (w *World) fillSecond(c *Call, block int64, number int) bool {
	if number%2 == 0 || !w.firstKind(block, number-1).Twice {
		return false
	}
	if w.fillFirst(c, block, number-1); !c.versions[0].Kind.Twice { // its trunk failed
		return false
	}
	d := newDraws(w.s.Seed, uint64(block), uint64(secondRows|number))
	c.Number, c.Second, c.Copies, c.ID = number, true, 1, d.UUID()
	if d.Hits(w.s.Duplicated) {
		c.Copies = 2
	}
	w.delay(c, &d)
	for i := range c.Versions() {
		c.versions[i].Recorded = false // the first row has the recording
	}
	return true
}

// firstKind is the kind that the call at a place starts with.
func (w *World) firstKind(block int64, number int) *Kind {
	d := newDraws(w.s.Seed, uint64(block), uint64(factsOf|number))
	for range 3 { // skip the start and the id
		d.pcg.Uint64()
	}
	return &w.s.Mix.Kinds[w.kinds.draw(&d)]
}

// delay publishes all versions later, by little for most calls and by minutes for some.
func (w *World) delay(c *Call, d *Draws) {
	by := d.Duration(0, 500*time.Millisecond)
	if d.below(20) == 0 {
		by = d.Duration(time.Second, mostBehind)
	}
	first, last := &c.versions[0], &c.versions[c.published-1]
	over := first.InProgress && !first.Published.Add(by).Before(c.End(c.final()))
	if over || w.tooLate(c, last.Published.Add(by)) {
		return
	}
	for i := range c.Versions() {
		c.versions[i].Published = c.versions[i].Published.Add(by)
	}
}
