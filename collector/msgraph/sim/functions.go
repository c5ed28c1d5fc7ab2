package sim

import (
	"fmt"
	"net/http"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// maxRange is the longest range that the functions accept.
const maxRange = 90 * 24 * time.Hour

func (t *target) isFunction() bool {
	return t.endpoint == EndpointPSTN || t.endpoint == EndpointDirectRouting
}

// function answers one of the two functions.
func (s *Server) function(p *page) simulator.Reply {
	if p.to.Sub(p.from) > maxRange {
		return s.refuse(p.request, http.StatusNotAcceptable, "", "")
	}
	world := s.PSTN
	if p.endpoint == EndpointDirectRouting {
		world = s.DirectRouting
	}
	rows := []any{}
	p.more = world.Page(simulator.Query{
		From: p.from, To: p.to, ToIncluded: p.endpoint == EndpointPSTN, At: s.Visible(), Skip: p.skip,
		Limit: s.PageSize,
	}, func(c *simulator.Call, v *simulator.Version) { rows = append(rows, renderRow(p.endpoint, c, v)) })
	return p.answer(p.rows(rows))
}

// rows is the body of a page. As in the documentation's samples, the link comes before the rows of
// one function and after the rows of the other. PSTN's link has other parameter names than the
// function.
func (p *page) rows(rows []any) []byte {
	kind, name, from, until := "directRoutingLogRow)", "getDirectRoutingCalls", "fromDateTime", "toDateTime"
	pstn := p.endpoint == EndpointPSTN
	if pstn {
		kind, name, from, until = "pstnCallLogRow)", "getPstnCalls", "from", "to"
	}
	o := simulator.NewObject(
		"@odata.context", "https://"+p.request.Host+"/v1.0/$metadata#Collection(microsoft.graph.callRecords."+kind,
		"@odata.count", len(rows))
	if !pstn {
		o.Set("value", rows)
	}
	if p.more {
		to := p.target
		to.skip += len(rows)
		o.Set("@odata.nextLink", p.next(fmt.Sprintf("%s/%s(%s=%s,%s=%s)?$skip=%d",
			callRecordsPath, name, from, to.from.Format(time.RFC3339), until, to.to.Format(time.RFC3339), to.skip), to,
			false))
	}
	if pstn {
		o.Set("value", rows)
	}
	return simulator.JSON(o)
}
