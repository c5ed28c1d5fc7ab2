package sim

import (
	"net/http"
	"strconv"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// exchange is a request that was let in, and its answer.
type exchange struct {
	*Server
	w          http.ResponseWriter
	r          *http.Request
	generation Generation
	// query is nil for calls in progress.
	query *query
	seen  *simulator.Seen
}

// write answers as a fault has it. Rows is how many the answer brings if it arrives.
func (e *exchange) write(fault simulator.Fault, a simulator.Answer, rows int) {
	e.seen.Fault, e.seen.Status = fault, simulator.StatusOf(fault, a.Status)
	if e.seen.Status == http.StatusOK && simulator.Delivers(fault) {
		e.seen.Rows = rows
	}
	e.faults.Write(e.w, e.r, fault, a)
}

// instead is the answer that a fault of Wavix's own has in place of any other, and
// whether it has one.
func (e *exchange) instead(fault simulator.Fault) (simulator.Answer, bool) {
	switch fault {
	case Unauthorized:
		return *e.refuse(http.StatusUnauthorized, "Unauthorized"), true
	case Forbidden:
		return *e.refuse(http.StatusForbidden, "The service is not provisioned for your account."), true
	case SuccessFalse:
		return e.answer(encode(failure{Message: "Service temporary unavailable"})), true
	case ErrorTrue:
		return e.answer([]byte(`{"error":true,"message":"Internal error"}`)), true
	default:
		return simulator.Answer{}, false
	}
}

// isAnywhere says whether a fault can be done to any endpoint's answer.
func isAnywhere(f simulator.Fault) bool {
	switch f {
	case NoItems, ZeroPerPage, SwappedMembers, CutLine, ShortStream, ErrorInStream, BlankLines, NoFinalNewline:
		return false
	default:
		return true
	}
}

// usualRow is about the length of a row.
const usualRow = 400

// listing is what the query lists.
func (e *exchange) listing() *listing {
	q := e.query
	return e.account.listing(q.from, q.to, q.side, q.disposition, e.terms(e.timeline.Visible()))
}

// list answers with a page of rows.
func (e *exchange) list(request simulator.Request) {
	l, q := e.listing(), e.query
	total := l.total()
	pages := (total + q.perPage - 1) / q.perPage
	request.Continued, request.HasNext = q.page > 1, q.page < pages
	fault := e.faults.Next(request, func(f simulator.Fault) bool {
		return isAnywhere(f) || f == NoItems || f == ZeroPerPage || f == SwappedMembers
	})
	if a, ok := e.instead(fault); ok {
		e.write(fault, a, 0)
		return
	}
	writer := writer{format: formatOf(e.generation)}
	body, rows := append(make([]byte, 0, 512+min(q.perPage, total)*usualRow), `{"items":[`...), 0
	begin := len(body)
	l.page(q.skip(), q.perPage, func(r *row, v *version) {
		if rows > 0 {
			body = append(body, ',')
		}
		body = writer.json(body, r, v)
		rows++
	})
	items := body[begin:]
	pagination := e.pagination(total, pages, fault)
	switch fault {
	case NoItems:
		body, rows = append(append([]byte{'{'}, pagination...), '}'), 0
	case SwappedMembers:
		body = append(append([]byte{'{'}, pagination...), `,"items":[`...)
		body = append(append(body, items...), `]}`...)
	default:
		body = append(append(append(body, `],`...), pagination...), '}')
	}
	e.write(fault, e.answer(body), rows)
}

// pagination is the member of that name.
func (e *exchange) pagination(total, pages int, fault simulator.Fault) []byte {
	perPage := e.query.perPage
	if fault == ZeroPerPage {
		perPage = 0
	}
	members := []struct {
		name  string
		value int
	}{{"current_page", e.query.page}, {"per_page", perPage}, {"total", total}, {"total_pages", pages}}
	if e.generation == GenerationA {
		members[0], members[1], members[2], members[3] = members[2], members[3], members[0], members[1]
	}
	dst := []byte(`"pagination":{`)
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), m.name...), `":`...)
		dst = strconv.AppendInt(dst, int64(m.value), 10)
	}
	return append(dst, '}')
}

// csv answers with a page of lines.
func (e *exchange) csv(request simulator.Request) {
	fault := e.faults.Next(request, isAnywhere)
	if a, ok := e.instead(fault); ok {
		e.write(fault, a, 0)
		return
	}
	writer := writer{format: formatOf(e.generation)}
	body, rows := writer.header(), 0
	e.listing().page(e.query.skip(), e.query.perPage, func(r *row, v *version) {
		body = writer.csv(body, r, v)
		rows++
	})
	a := e.answer(body)
	a.Type = "text/csv; charset=utf-8"
	e.write(fault, a, rows)
}
