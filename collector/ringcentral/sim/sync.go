package sim

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// position is what a sync token holds.
type position struct {
	// After is the last change that was returned, in milliseconds.
	After int64 `json:"after"`
	Count int   `json:"count"`
	// Number makes each token another.
	Number int64 `json:"number"`
}

// extractSync lists the rows that changed since a token or, in a full sync, since a time, in the order of their changes.
func (s *Server) extractSync(q *request) simulator.Reply {
	detailed, kind := q.isDetailed(), q.text("syncType")
	var begin position
	var lost *simulator.Reply
	switch kind {
	case "FSync":
		// What changed at the very time counts as later.
		begin = position{After: q.instant("dateFrom").UnixMilli() - 1, Count: q.number("recordCount")}
	case "ISync":
		begin, lost = q.readToken()
	default:
		q.fail("syncType")
	}
	if q.wrong = cmp.Or(q.wrong, lost); q.wrong != nil {
		return simulator.Reply{}
	}
	return s.changes(q, kind, begin, detailed)
}

func (q *request) readToken() (p position, lost *simulator.Reply) {
	raw, err := base64.RawURLEncoding.DecodeString(q.text("syncToken"))
	if err != nil || json.Unmarshal(raw, &p) != nil {
		return p, lostSync()
	}
	return p, nil
}

func (s *Server) writeToken(p position) string {
	p.Number = s.syncIssued.Add(1)
	return base64.RawURLEncoding.EncodeToString(simulator.JSON(p))
}

// changes is the reply with the rows that changed after a position.
func (s *Server) changes(q *request, kind string, begin position, detailed bool) simulator.Reply {
	at, rows, times := s.Visible(), []any{}, []int64(nil)
	ask := simulator.Since{After: time.UnixMilli(begin.After), At: at, Limit: begin.Count, Match: s.isSynced}
	more := q.world.Changes(ask, func(c *simulator.Call, v *simulator.Version) {
		rows, times = append(rows, q.row(c, v, detailed)), append(times, v.Published.UnixMilli())
	})
	body := func(rows []any, after int64, more bool) []byte {
		next := begin
		next.After = max(after, begin.After)
		o := simulator.NewObject("uri", s.BaseURL()+q.RequestURI)
		if rows != nil {
			o.Set("records", rows)
		}
		o.Set("syncInfo", simulator.NewObject(
			"syncType", kind, "syncToken", s.writeToken(next), "syncTime", s.Now().Format(milliseconds), "newerRecordsExist", more))
		return simulator.JSON(o)
	}
	last := at.UnixMilli()
	if more {
		last = times[len(times)-1]
	}
	r := q.reply(body(rows, last, more))
	r.From, r.To = time.UnixMilli(begin.After).UTC(), at
	spoil := func(rows []any, after int64, more bool) func(*simulator.Reply) {
		return func(r *simulator.Reply) { r.Body = body(rows, after, more) }
	}
	r.Own[NoSync] = simulator.Instead(*apiError(http.StatusNotFound, "", "CMN-120", "Invalid URI"))
	r.Own[SyncForbidden] = simulator.Instead(*apiError(http.StatusForbidden, "FeatureNotAvailable", "CMN-109", "Feature not available."))
	r.Own[EmptyPage] = spoil([]any{}, begin.After, true)
	r.Own[NoRecords] = spoil(nil, last, more)
	if n := cutAt(times); n > 0 {
		r.Own[CutPage] = spoil(rows[:n], times[n-1], true)
	}
	if kind == "ISync" {
		r.Own[LostSyncToken] = simulator.Instead(*lostSync())
	}
	return r
}

// cutAt is where about half of the rows end, such that rows of one millisecond stay together; 0 if nowhere.
func cutAt(times []int64) int {
	for n := max(1, len(times)/2); n < len(times); n++ {
		if times[n-1] != times[n] {
			return n
		}
	}
	return 0
}

func (s *Server) isSynced(c *simulator.Call, _ *simulator.Version) bool {
	return float64(binary.BigEndian.Uint32(c.ID[:4])) >= s.SyncMisses*(1<<32)
}
