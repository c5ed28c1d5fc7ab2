package sim

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// syncState is what holds for call-log-extract-sync.
type syncState struct {
	offered bool
	// reset counts how often the tokens were dropped, nonce how many were issued.
	reset, nonce uint32
}

// OfferSync says whether the account offers call-log-extract-sync.
func (s *Server) OfferSync(offered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sync.offered = offered
}

// DropSyncTokens makes all sync tokens that were issued so far stop working.
func (s *Server) DropSyncTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sync.reset++
}

// The bounds of recordCount, and how far back a sync goes that doesn't say.
const (
	defaultRecords = 250
	mostRecords    = 1000
	defaultSync    = time.Hour
)

// position is what a sync token says.
type position struct {
	// after is the last change that was given, issued when the token was, in ms.
	after, issued int64
	count         uint32
	reset, nonce  uint32
}

// tokenSize is that of a position in a token, before its seal.
const tokenSize = 28

// lostSync is what is said of a sync token that doesn't work.
func lostSync(code string) *refusal {
	r := named(http.StatusBadRequest, "InvalidParameter", code, "Parameter [syncToken] is invalid [Sync token expired, call log was reset]")
	r.body.Errors[0].Parameter = "syncToken"
	return r
}

// extractSync lists the rows that changed since a token or, in a full sync, since a
// time, in the order of their changes.
func (s *Server) extractSync(q *request) (*result, *refusal) {
	if refused := s.refuseSync(); refused != nil {
		return nil, refused
	}
	detailed, refused := q.isDetailed()
	if refused != nil {
		return nil, refused
	}
	kind, refused := q.choice("syncType", "FSync", "ISync")
	if refused != nil {
		return nil, refused
	}
	var begin position
	if kind == "FSync" {
		begin, refused = s.fullSync(q)
	} else {
		begin, refused = s.readToken(q)
	}
	if refused != nil {
		return nil, refused
	}
	batch := &changes{server: s, request: q, kind: kind, begin: begin, buffer: s.buffer()}
	batch.read(detailed)
	return batch.result(), nil
}

// refuseSync is the refusal of an account that doesn't offer it.
func (s *Server) refuseSync() *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.sync.offered:
		return nil
	case s.settings.SyncRefusal == http.StatusForbidden:
		return named(http.StatusForbidden, "FeatureNotAvailable", "CMN-109", "Feature not available.")
	case s.settings.SyncRefusal == http.StatusBadRequest:
		return refuse(http.StatusBadRequest, "CMN-104", "Cannot parse request")
	}
	return refuse(http.StatusNotFound, "CMN-120", "Invalid URI")
}

func (s *Server) fullSync(q *request) (position, *refusal) {
	from, refused := q.instant("dateFrom", s.timeline.Now().Add(-defaultSync))
	if refused != nil {
		return position{}, refused
	}
	count, refused := q.number("recordCount", defaultRecords)
	if refused == nil && count > mostRecords {
		refused = badParameter("recordCount")
	}
	// What changed at the very time counts as later.
	return position{after: from.UnixMilli() - 1, count: uint32(count)}, refused
}

// readToken reads a sync token.
func (s *Server) readToken(q *request) (position, *refusal) {
	text, refused := q.one("syncToken", "")
	switch {
	case refused != nil:
		return position{}, refused
	case text == "":
		return position{}, badParameter("syncToken")
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) < tokenSize || string(raw[tokenSize:]) != s.seal(string(raw[:tokenSize])) {
		return position{}, lostSync("CLG-101")
	}
	p := position{
		after: int64(binary.BigEndian.Uint64(raw)), issued: int64(binary.BigEndian.Uint64(raw[8:])),
		count: binary.BigEndian.Uint32(raw[16:]), reset: binary.BigEndian.Uint32(raw[20:]), nonce: binary.BigEndian.Uint32(raw[24:]),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	age := s.timeline.Now().Sub(time.UnixMilli(p.issued))
	switch {
	case p.reset != s.sync.reset:
		return p, lostSync("CLG-104")
	case s.settings.SyncLifetime > 0 && age > s.settings.SyncLifetime:
		return p, lostSync("CLG-102")
	}
	return p, nil
}

// writeToken makes a sync token; no two are the same.
func (s *Server) writeToken(p position) string {
	s.mu.Lock()
	s.sync.nonce++
	p.reset, p.nonce = s.sync.reset, s.sync.nonce
	s.mu.Unlock()
	p.issued = s.timeline.Now().UnixMilli()
	raw := binary.BigEndian.AppendUint64(nil, uint64(p.after))
	raw = binary.BigEndian.AppendUint64(raw, uint64(p.issued))
	for _, n := range []uint32{p.count, p.reset, p.nonce} {
		raw = binary.BigEndian.AppendUint32(raw, n)
	}
	return base64.RawURLEncoding.EncodeToString(append(raw, s.seal(string(raw))...))
}

// changes are the rows of one sync, before their envelope.
type changes struct {
	server  *Server
	request *request
	kind    string
	begin   position
	buffer  *bytes.Buffer
	ends    []int
	times   []int64
	more    bool
	at      time.Time
}

// read renders the rows.
func (b *changes) read(detailed bool) {
	s := b.server
	b.at = s.timeline.Visible()
	if b.request.world == nil {
		return
	}
	ask := simulator.Since{
		After: time.UnixMilli(b.begin.after), At: b.at, Limit: int(b.begin.count),
		Match: match(s.isSynced).and(s.undeleted()),
	}
	_, b.more = b.request.world.Changes(ask, func(c *simulator.Call, v *simulator.Version) {
		b.buffer.Write(append(b.request.row(b.buffer.AvailableBuffer(), c, v, detailed), ','))
		b.ends = append(b.ends, b.buffer.Len())
		b.times = append(b.times, v.Published.UnixMilli())
	})
}

// isSynced leaves out what the setting says is missed.
func (s *Server) isSynced(c *simulator.Call, _ *simulator.Version) bool {
	if s.settings.SyncMisses == 0 {
		return true
	}
	return float64(binary.BigEndian.Uint32(c.ID[:4])) >= s.settings.SyncMisses*(1<<32)
}

func (b *changes) result() *result {
	r := &result{more: b.more, rows: len(b.ends), fits: b.fits, from: time.UnixMilli(b.begin.after).UTC(), to: b.at}
	r.body = func(fault simulator.Fault) []byte {
		rows, more, after := b.cut(fault)
		r.rows = rows
		return b.body(fault, rows, more, after)
	}
	r.done = func() { b.server.buffers.Put(b.buffer) }
	return r
}

// fits says whether one of RingCentral's own faults can be done to the sync.
func (b *changes) fits(f simulator.Fault) bool {
	switch f {
	case LostSyncToken:
		return b.kind == "ISync"
	case CutPage:
		return len(b.times) > 1 && b.times[0] != b.times[len(b.times)-1]
	case EmptyPage, NoRecords:
		return true
	default:
		return false
	}
}

// cut is how many rows a fault leaves, whether there are more, and the last change that
// was given with them.
func (b *changes) cut(fault simulator.Fault) (rows int, more bool, after int64) {
	switch {
	case fault == EmptyPage:
		return 0, true, b.begin.after
	case fault == CutPage:
		// Rows of one millisecond stay together.
		rows, _ = slices.BinarySearch(b.times, b.times[len(b.times)-1])
		rows = min(rows, max(1, len(b.times)/2))
		for b.times[rows-1] == b.times[rows] {
			rows++
		}
		return rows, true, b.times[rows-1]
	case b.more:
		return len(b.ends), true, b.times[len(b.times)-1]
	}
	return len(b.ends), false, b.at.UnixMilli()
}

func (b *changes) body(fault simulator.Fault, rows int, more bool, after int64) []byte {
	s := b.server
	body := make([]byte, 0, b.buffer.Len()+1024)
	body = appendQuoted(append(body, `{"uri":`...), s.base(b.request.Request)+b.request.RequestURI)
	if fault != NoRecords {
		body = append(body, `,"records":[`...)
		if rows > 0 {
			body = append(body, b.buffer.Bytes()[:b.ends[rows-1]-1]...)
		}
		body = append(body, ']')
	}
	next := b.begin
	next.after = max(after, b.begin.after)
	body = append(append(append(body, `,"syncInfo":{"syncType":"`...), b.kind...), `","syncToken":"`...)
	body = append(append(append(body, s.writeToken(next)...), `","syncTime":"`...), s.timeline.Now().Format(milliseconds)...)
	body = append(append(body, `","newerRecordsExist":`...), strconv.FormatBool(more)...)
	return append(body, `}}`...)
}
