package sim

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// defaultRange is how much of the log is given to who doesn't say: a trap.
const defaultRange = 24 * time.Hour

// milliseconds is how RingCentral writes times.
const milliseconds = "2006-01-02T15:04:05.000Z"

// callLog lists the rows that start in a range of time, those that started last first.
func (s *Server) callLog(q *request) (*result, *refusal) {
	detailed, refused := q.isDetailed()
	if refused != nil {
		return nil, refused
	}
	ask := simulator.Query{At: s.timeline.Visible(), ToIncluded: true}
	if refused := s.readRange(q, &ask); refused != nil {
		return nil, refused
	}
	if ask.Lists, refused = q.lists(); refused != nil {
		return nil, refused
	}
	m, refused := s.filter(q)
	if refused != nil {
		return nil, refused
	}
	deleted, refused := q.choice("showDeleted", "false", "true")
	if refused != nil {
		return nil, refused
	}
	if deleted != "true" {
		m = m.and(s.undeleted())
	}
	ask.Match = m
	p, refused := s.newPage(q, detailed)
	if refused != nil {
		return nil, refused
	}
	if deleted == "true" {
		p.gone = s.undeleted()
	}
	ask.Skip, ask.Limit = p.skip(), p.perPage
	if q.world != nil {
		p.more = q.world.Page(ask, p.add)
	}
	found := p.result()
	found.from, found.to = ask.From, ask.To
	return found, nil
}

// readRange reads the range of starts, both ends included.
func (s *Server) readRange(q *request, ask *simulator.Query) (refused *refusal) {
	if ask.To, refused = q.instant("dateTo", s.timeline.Now()); refused != nil {
		return refused
	}
	if ask.From, refused = q.instant("dateFrom", ask.To.Add(-defaultRange)); refused != nil {
		return refused
	}
	if q.query.Has("sessionId") {
		for _, name := range []string{"dateFrom", "dateTo", "phoneNumber"} {
			if q.query.Has(name) {
				return refuse(http.StatusBadRequest, "CLG-110",
					"Parameter [sessionId] is not allowed for usage along with parameter ["+name+"]")
			}
		}
	}
	if ask.To.Before(ask.From) {
		return badParameter("dateFrom")
	}
	// Links say it, unlike dateTo: whoever gives none reads on where rows have shifted.
	q.query.Set("dateFrom", ask.From.Format(milliseconds))
	return nil
}

// undeleted leaves out what users erased; nil if they erased nothing.
func (s *Server) undeleted() match {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.deleted) == 0 {
		return nil
	}
	spans := slices.Clip(s.deleted)
	return func(c *simulator.Call, _ *simulator.Version) bool {
		for _, d := range spans {
			if !c.Start.Before(d.from) && c.Start.Before(d.to) {
				return false
			}
		}
		return true
	}
}

// record is one row by its id.
func (s *Server) record(q *request) (*result, *refusal) {
	detailed, refused := q.isDetailed()
	if refused != nil {
		return nil, refused
	}
	var c simulator.Call
	place, ok := q.ids.parse(q.id)
	at := s.timeline.Visible()
	if !ok || q.world == nil || !q.world.Call(place, &c) || c.At(at) < 0 {
		return nil, notFound("callRecordId")
	}
	v := &c.Versions()[c.At(at)]
	if erased := s.undeleted(); erased != nil && !erased(&c, v) {
		return nil, notFound("callRecordId")
	}
	return single(q.row(nil, &c, v, detailed)), nil
}

// single is a result without pages.
func single(body []byte) *result {
	return &result{
		rows: 1, fits: func(simulator.Fault) bool { return false },
		body: func(simulator.Fault) []byte { return body },
	}
}

// recording is what is known of a recording.
func (s *Server) recording(q *request) (*result, *refusal) {
	at := s.timeline.Visible()
	for _, sc := range []*scope{&s.account, &s.extension} {
		place, ok := sc.ids.parseRecording(q.id)
		var c simulator.Call
		if !ok || sc.world == nil || !sc.world.Call(place, &c) || c.At(at) < 0 {
			continue
		}
		v := &c.Versions()[c.At(at)]
		if !v.Recorded {
			continue
		}
		return single(encode(map[string]any{
			"id": q.id, "contentUri": contentURI(s.account.uri, q.id), "contentType": "audio/mpeg",
			"duration": int(v.Duration / time.Second),
		})), nil
	}
	return nil, notFound("recordingId")
}

// contentURI is where a recording's sound would be, at a host of its own.
func contentURI(account, id string) string {
	_, path, _ := strings.Cut(account, "/restapi/")
	return "https://media.ringcentral.com/restapi/" + path + "/recording/" + id + "/content"
}
