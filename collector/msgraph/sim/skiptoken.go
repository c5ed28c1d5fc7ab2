package sim

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// skipToken ends a next link of call records: what follows is the rest, and a seal.
const skipToken = "$skiptoken="

// The kinds of rests.
const (
	restRecords      = "records"
	restSessions     = "sessions"
	restSegments     = "segments"
	restParticipants = "participants"
)

// rest is what a next link leads to. A record's is of the version that the first page
// was of.
type rest struct {
	What string `json:"w"`
	// ID and Version are a record's, Session one of its sessions.
	ID       string `json:"i,omitempty"`
	Version  int    `json:"v,omitempty"`
	Session  int    `json:"n,omitempty"`
	Segments bool   `json:"g,omitempty"`
	Skip     int    `json:"s,omitempty"`
	// In is a list's range, After where it stands.
	In    *span     `json:"r,omitempty"`
	After *position `json:"a,omitempty"`
	// Size is what was preferred.
	Size int `json:"z,omitempty"`
	// Issued is when the link was made, in milliseconds, where links expire.
	Issued int64 `json:"t,omitempty"`
	// Number makes a link differ from all others.
	Number int `json:"d,omitempty"`
}

// restLink makes a next link, without the host. Distinct makes it differ from all others.
func (s *Server) restLink(to rest, distinct bool) string {
	if s.settings.LinkLifetime > 0 {
		to.Issued = s.timeline.Now().UnixMilli()
	}
	if distinct {
		to.Number = int(s.distinct.Add(1))
	}
	return s.sealed(to.path(), to)
}

// path is a link up to its token.
func (t *rest) path() string {
	of := callRecordsPath + "('" + t.ID + "')"
	switch t.What {
	case restSessions:
		if t.Segments {
			return of + "/sessions?$expand=segments&" + skipToken
		}
		return of + "/sessions?" + skipToken
	case restSegments:
		return of + "/sessions('" + strconv.Itoa(t.Session) + "')/segments?" + skipToken
	case restParticipants:
		return of + "/participants_v2?" + skipToken
	}
	filter := "startDateTime ge " + time.UnixMilli(t.In.Low).UTC().Format(time.RFC3339Nano)
	return callRecordsPath + "?$filter=" + url.PathEscape(filter) + "&" + skipToken
}

func (s *Server) sealed(path string, to rest) string {
	token := base64.RawURLEncoding.EncodeToString(encode(to))
	return path + token + "." + s.seal(path+token)
}

// follow is where a next link leads. One that this server hasn't made leads nowhere:
// whoever builds links is noticed.
func (s *Server) follow(uri string) (to rest, ok bool) {
	at := strings.Index(uri, skipToken) + len(skipToken)
	token, seal, _ := strings.Cut(uri[at:], ".")
	if subtle.ConstantTimeCompare([]byte(seal), []byte(s.seal(uri[:at]+token))) != 1 {
		return to, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	return to, err == nil && json.Unmarshal(raw, &to) == nil
}

// askedAgain is what a request that follows a next link asks for, or why it is refused.
func (s *Server) askedAgain(r *http.Request) (asked, *simulator.Answer) {
	to, ok := s.follow(r.RequestURI)
	a := asked{endpoint: EndpointOther, rest: to, continued: true}
	if ok {
		a.endpoint = map[string]string{
			restRecords: EndpointCallRecords, restSessions: EndpointSessions, restSegments: EndpointSessions, restParticipants: EndpointParticipants,
		}[to.What]
	}
	var refused simulator.Answer
	switch {
	case !ok || r.Method != http.MethodGet:
		refused = s.refusal(r, http.StatusBadRequest, "BadRequest", "The $skiptoken is not valid.")
	case to.Issued != 0 && s.timeline.Now().Sub(time.UnixMilli(to.Issued)) > s.settings.LinkLifetime:
		refused = s.refusal(r, http.StatusGone, "Gone", "The link has expired.")
	default:
		return a, nil
	}
	return a, &refused
}
