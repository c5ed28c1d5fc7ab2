package simulator

import (
	"slices"
	"time"
)

// outage is a time in which a trunk fails, in milliseconds, and the share of its calls that it
// loses.
type outage struct {
	trunk    string
	from, to int64
	loses    float64
}

// FailPart makes a trunk fail, by its label, for a share of the calls that start in [from, to),
// except for kinds that can't fail. Call it before those calls are published; otherwise rows that
// were already read change.
func (w *World) FailPart(trunk string, part float64, from, to time.Time) {
	w.changeOutages(func(all []outage) []outage {
		return append(all, outage{trunk: trunk, from: from.UnixMilli(), to: to.UnixMilli(), loses: part})
	})
}

// MendTrunk ends FailPart from an instant.
func (w *World) MendTrunk(trunk string, at time.Time) {
	w.changeOutages(func(all []outage) []outage {
		for i := range all {
			if all[i].trunk == trunk {
				all[i].to = min(all[i].to, at.UnixMilli())
			}
		}
		return all
	})
}

// changeOutages changes a copy of the outages, which changes calls.
func (w *World) changeOutages(change func([]outage) []outage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := change(slices.Clone(*w.outages.Load()))
	w.outages.Store(&next)
	clear(w.blocks)
}

// failing is the share of calls that a trunk loses at an instant; 0 if it works.
func (w *World) failing(trunk *Trunk, at int64) float64 {
	for _, o := range *w.outages.Load() {
		if o.trunk == trunk.Name && o.from <= at && at < o.to {
			return o.loses
		}
	}
	return 0
}
