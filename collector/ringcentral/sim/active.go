package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// activeCalls lists the calls in progress, and those that ended a moment ago, those
// that started last first. Both are known late by a little.
func (s *Server) activeCalls(q *request) (*result, *refusal) {
	detailed, refused := q.isDetailed()
	if refused != nil {
		return nil, refused
	}
	lists, refused := q.lists()
	if refused != nil {
		return nil, refused
	}
	transports, refused := q.choices("transport", "PSTN", "VoIP")
	if refused != nil {
		return nil, refused
	}
	p, refused := s.newPage(q, detailed)
	if refused != nil {
		return nil, refused
	}
	if q.world == nil {
		return p.result(), nil
	}
	at := s.timeline.Visible().Add(-s.settings.ActiveLag)
	skip := p.skip()
	q.world.EachActive(at, s.settings.Afterglow, func(c *simulator.Call, v *simulator.Version, connected bool) {
		switch {
		case lists&(1<<v.Kind.List) == 0 || len(transports) == 1 && detailOf(v).transport != transports[0]:
		case skip > 0:
			skip--
		case len(p.ends) == p.perPage:
			p.more = true
		case connected:
			live := simulator.Version{Kind: v.Kind, State: simulator.InProgress, Published: c.Start.Add(s.settings.ActiveLag)}
			if c.Number%2 == 0 {
				live.Duration = at.Sub(c.Start).Truncate(time.Second)
			}
			p.add(c, &live)
		default:
			p.add(c, v)
		}
	})
	return p.result(), nil
}

// active counts the calls in progress, as one knows them who asks at an instant.
func (sc *scope) active(s *Server, at time.Time) map[cdr.Direction]int {
	if sc.world == nil {
		return map[cdr.Direction]int{}
	}
	return sc.world.Active(at.Add(-s.settings.ActiveLag))
}
