package sim

import (
	"encoding/json"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// queues are the account's call queues: the id, the extension's number, the name.
var queues = []simulator.User{
	{ID: "62264499016", Principal: "901", Name: "Sales"},
	{ID: "62264499017", Principal: "902", Name: "Support"},
}

// queueOf is the queue of a call's nth visit, from 1.
func queueOf(c *simulator.Call, n int) *simulator.User {
	return &queues[(c.Number%2+n-1)%len(queues)]
}

// extensions lists the account's queues.
func (s *Server) extensions(q *request) simulator.Reply {
	if q.text("type") != "Department" {
		q.fail("type")
	}
	p := &page{request: q, number: q.number("page"), perPage: q.number("perPage"), rows: []any{}}
	for i := p.skip(); i < len(queues) && len(p.rows) < p.perPage; i++ {
		u := &queues[i]
		p.rows = append(p.rows, simulator.NewObject("uri", s.account.account+"/extension/"+u.ID, "id",
			json.Number(u.ID),
			"extensionNumber", u.Principal, "name", u.Name, "type", "Department", "status", "Enabled"))
	}
	p.more = p.skip()+len(p.rows) < len(queues)
	return p.finish()
}

// Visits are the queue visits of the calls that are final at an instant, in the form of the metrics
// in Totals.
func Visits(w *simulator.World, at time.Time) simulator.Tables {
	t := simulator.Tables{}
	w.Each(time.Time{}, at.Add(time.Millisecond), func(c *simulator.Call) bool {
		n := c.At(at)
		if n < 0 || c.Flaw != simulator.NoFlaw || c.Versions()[n].InProgress {
			return true
		}
		v := &c.Versions()[n]
		for i, one := range detailOf(v).Visits {
			queue, wait := queueOf(c, i+1).Name, one.Wait
			if one.Lasts > 0 {
				wait = lasted(&v.Kind.Legs[one.Lasts], v)
			}
			t.Count("cdr_queue_calls_total", queue, one.Result)
			t.Observe("cdr_queue_wait_seconds", wait.Microseconds(), queue, one.Result)
		}
		return true
	})
	return t
}
