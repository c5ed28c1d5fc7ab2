package simulator

import "time"

// incidentSpan is the grid on which trunks fail by themselves.
const incidentSpan = int64(10 * time.Minute / time.Millisecond)

// hitByIncident is the share of calls that a failing trunk loses.
const hitByIncident = share(85 << 32 / 100)

// outage is a time in which a trunk fails, in milliseconds.
type outage struct {
	trunk    string
	from, to int64
}

// failing says whether a trunk fails at an instant.
func (w *World) failing(trunk *Trunk, index int, at int64) bool {
	for _, o := range *w.outages.Load() {
		if o.trunk == trunk.Name && o.from <= at && at < o.to {
			return true
		}
	}
	if w.incidents == 0 {
		return false
	}
	span := at / incidentSpan
	d := throw(w.s.Seed, uint64(span), uint64(0x7a11+index))
	if !d.hits(w.incidents) {
		return false
	}
	begin := d.below(incidentSpan * 7 / 10)
	length := d.between(incidentSpan/10, incidentSpan*3/10)
	return begin <= at-span*incidentSpan && at-span*incidentSpan < begin+length
}
