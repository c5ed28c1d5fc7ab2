package ledger

import (
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// takeMedia counts what the page's records bring beside their calls. It comes after all
// of them were taken, since it needs no news of a call: a session counts once by its id,
// in whichever version it appears (counting.md 14), and the rest once with the first
// record of a call that is settled, also if its version is known.
func (f *Feed) takeMedia(p *pageWork, observed time.Time) {
	if !p.media {
		return
	}
	for _, i := range p.order {
		e := &p.entries[i]
		if st := f.counted(p, e, observed); st != nil {
			f.takeSessions(p, e, st, observed)
			f.takeEmergency(p, e, st)
		}
	}
	// Of the versions on one page the highest settles the call.
	for _, i := range slices.Backward(p.order) {
		e := &p.entries[i]
		if st := f.counted(p, e, observed); st != nil && e.record.Settled {
			f.settle(p, e, st)
		}
	}
}

// counted is what is known of a record that is counted, nil if it isn't: it waits, or is
// too old.
func (f *Feed) counted(p *pageWork, e *entry, observed time.Time) *state {
	if f.waits(e.record, observed) {
		return nil
	}
	return p.find(e)
}

// takeSessions counts and logs the sessions that are new.
func (f *Feed) takeSessions(p *pageWork, e *entry, st *state, observed time.Time) {
	p.tally.About(e.record)
	for i := range e.record.Sessions {
		s := &e.record.Sessions[i]
		if p.remember(st.hour, f.ledger.hasher.session(st, s), e.record.Start) {
			p.tally.Session(s)
			f.log(p, e, &RecordEvent{Name: "cdr.session", Version: 1, Session: s, Observed: observed})
		}
	}
}

// session is the hash of a session of a record, whichever of the record's ids it comes
// under.
func (h *hasher) session(st *state, s *cdr.Session) hash {
	return h.of(kindSession, string(st.hash[:]), s.ID)
}

// takeEmergency counts a call to emergency services of which the versions before didn't
// tell, as when such a session comes later. Only feeds without hours have sessions; rows
// of others may be older than the flag.
func (f *Feed) takeEmergency(p *pageWork, e *entry, st *state) {
	flags := flagsOf(st.stored)
	if !f.spec.Hourless || e.record.Emergency == cdr.NoEmergency || flags&(rowEmergency|rowFurther) != 0 {
		return
	}
	p.tally.About(e.record)
	p.tally.Emergency(e.record)
	st.stored = withFlags(st.stored, flags|rowEmergency)
	p.touch(st)
}

// settle counts what counts once per call. A further record of a call has no part in it.
func (f *Feed) settle(p *pageWork, e *entry, st *state) {
	flags := flagsOf(st.stored)
	if flags&rowSettled != 0 {
		return
	}
	if flags&rowFurther == 0 {
		p.tally.About(e.record)
		p.tally.Settle(&metrics.Call{Record: e.record, BypassLater: f.spec.Hourless})
	}
	st.stored = withFlags(st.stored, flags|rowSettled)
	p.touch(st)
}
