package sim

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// result is what a request is due, before its envelope.
type result struct {
	// from, to and skip are what was asked for, for the record.
	from, to time.Time
	skip     int
	more     bool
	// rows is how many are given; fits says which of RingCentral's faults can be done.
	rows int
	fits func(simulator.Fault) bool
	// body is the answer as a fault changes it; it may change rows.
	body func(simulator.Fault) []byte
	done func()
}

// api answers a request to the API.
func (s *Server) api(w http.ResponseWriter, r *http.Request) {
	q, refused := s.target(r)
	number := s.recorder.Begin(q.endpoint)
	seen := simulator.Seen{Endpoint: q.endpoint, At: s.timeline.Now()}
	defer func() { s.recorder.End(seen) }()
	if wrong := s.authorise(q); wrong != nil {
		refused = wrong
	}
	var found *result
	if refused == nil {
		found, refused = s.serve(q)
	}
	if refused != nil {
		seen.Status = refused.status
		s.faults.Write(w, r, simulator.NoFault, s.refused(q.header, refused))
		return
	}
	if found.done != nil {
		defer found.done()
	}
	asked := simulator.Request{Endpoint: q.endpoint, Continued: found.skip > 0, HasNext: found.more, From: found.from, To: found.to, Number: number}
	fault := s.faults.Next(asked, func(f simulator.Fault) bool { return isGeneric(f) || isRefusal(f) || found.fits(f) })
	a := s.faulty(q, found, fault)
	seen.From, seen.To, seen.Skip = found.from, found.to, found.skip
	seen.Fault, seen.Status = fault, simulator.StatusOf(fault, a.Status)
	if seen.Status == http.StatusOK && simulator.Delivers(fault) {
		seen.Rows = found.rows
	}
	s.faults.Write(w, r, fault, a)
}

// isRefusal are the faults that can be done to any request.
func isRefusal(f simulator.Fault) bool {
	switch f {
	case LostToken, KilledSession, ExpiredToken, Forbidden:
		return true
	default:
		return false
	}
}

// faulty is the answer as a fault of RingCentral's own changes it.
func (s *Server) faulty(q *request, found *result, fault simulator.Fault) simulator.Answer {
	switch fault {
	case KilledSession:
		_, token, _ := strings.Cut(q.Header.Get("Authorization"), " ")
		s.end(token)
		return s.refused(q.header, lostToken())
	case LostToken:
		return s.refused(q.header, lostToken())
	case ExpiredToken:
		return s.refused(q.header, expiredToken())
	case Forbidden:
		return s.refused(q.header, lacking("CMN-408", FullCompanyCallLog))
	case LostSyncToken:
		return s.refused(q.header, lostSync("CLG-102"))
	default:
		body := found.body(fault)
		if s.settings.Gzip && strings.Contains(q.Header.Get("Accept-Encoding"), "gzip") {
			q.header.Set("Content-Encoding", "gzip")
			body = compress(body)
		}
		return s.answer(q.header, http.StatusOK, body)
	}
}

// serve finds what a request is due.
func (s *Server) serve(q *request) (*result, *refusal) {
	if refused := s.readQuery(q); refused != nil {
		return nil, refused
	}
	switch q.endpoint {
	case EndpointCallLog:
		return s.callLog(q)
	case EndpointSync:
		return s.extractSync(q)
	case EndpointActiveCalls:
		return s.activeCalls(q)
	case EndpointRecord:
		return s.record(q)
	default:
		return s.recording(q)
	}
}

// buffer is an empty one; the rows of a page are a megabyte.
func (s *Server) buffer() *bytes.Buffer {
	b, ok := s.buffers.Get().(*bytes.Buffer)
	if !ok {
		return new(bytes.Buffer)
	}
	b.Reset()
	return b
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	// A buffer takes everything.
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = z.Write(body)
	_ = z.Close()
	return b.Bytes()
}
