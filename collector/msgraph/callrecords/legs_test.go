package callrecords

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// TestCallOfSessions: sessions of a call of five minutes, and the call that they make.
func TestCallOfSessions(t *testing.T) {
	user := func(id string) string {
		return `{"identity":{"user":{"id":"` + id + `","displayName":"Sam"}},"userAgent":{"platform":"windows"}}`
	}
	role := func(role string) string { return `{"userAgent":{"role":"` + role + `"}}` }
	phone, outside := phoneEnd(`"+442079460100"`), phoneEnd(`"+33123456789"`)
	media, queue, box := role("mediaController"), service(roleQueue, "q1", "Support"), role(roleVoicemail)
	failed := failing("callSetup", "noAnswer")
	for _, c := range []struct {
		name      string
		sessions  []string
		direction cdr.Direction
		outcome   cdr.Outcome
		// In seconds; -1 is the record's duration.
		talk, connected int
		user            string
	}{
		{"all of the call", []string{at("s1", 0, 300, user("a"), user("b"))}, cdr.Internal, cdr.Answered, -1, -1, ""},
		{"nobody answers, then voicemail", []string{
			at("s1", 0, 25, phone, user("eva"), failed),
			at("s2", 25, 60, phone, box),
		}, cdr.Inbound, cdr.Voicemail, -1, 35, "eva"},
		{
			"voicemail of old",
			[]string{at("s1", 25, 60, phone, role("exchangeUnifiedMessagingService"))},
			cdr.Inbound,
			cdr.Voicemail, -1, 35, "",
		},
		{
			"an attendant that the caller leaves",
			[]string{at("s1", 0, 20, phone, service(roleAttendant, "a1", "Desk"))},
			cdr.Inbound, cdr.Machine, -1, 20, "",
		},
		{"an attendant within another", []string{
			at("s1", 0, 20, phone, service(roleAttendant, "a1", "Desk")),
			at("s2", 10, 30, phone, service(roleAttendant, "a2", "Sales")),
		}, cdr.Inbound, cdr.Machine, -1, 30, ""},
		{"a bot", []string{at("s1", 0, 20, phone, role("customBot"))}, cdr.Inbound, cdr.Machine, -1, 20, ""},
		{"a queue that nobody answers", []string{
			at("s1", 0, 45, phone, queue), at("s2", 12, 30, user("ann"), media, failed),
		}, cdr.Inbound, cdr.Machine, -1, 45, "ann"},
		{"an agent answers", []string{
			at("s1", 0, 90, phone, queue), at("s2", 12, 20, user("ann"), media, failed),
			at("s3", 20, 90, user("bob"), media),
		}, cdr.Inbound, cdr.Answered, 70, 90, "bob"},
		{
			"a queue, then voicemail",
			[]string{at("s1", 0, 45, phone, queue), at("s2", 45, 60, phone, box)},
			cdr.Inbound,
			cdr.Voicemail, -1, 60, "",
		},
		{"the caller's own side of a queue", []string{
			at("s1", 0, 45, user("a"), queue), at("s2", 0, 45, user("a"), media),
		}, cdr.Internal, cdr.Machine, -1, 45, ""},
		{
			"a caller by telephone has a side too",
			[]string{at("s1", 0, 45, phone, queue), at("s2", 0, 45, phone, media)},
			cdr.Inbound, cdr.Machine, -1, 45, "",
		},
		{"a queue that sends the caller to another telephone", []string{
			at("s1", 0, 20, phone, queue), at("s2", 15, 80, role("mediaController"), outside),
		}, cdr.Inbound, cdr.Answered, 65, 80, ""},
		{
			"a conference is persons",
			[]string{at("s1", 0, 60, phone, role("conferencingAttendant"))},
			cdr.Inbound,
			cdr.Answered, 60, 60, "",
		},
		{"a meeting's parts overlap", []string{
			at("s1", 0, 60, user("a"), media), at("s2", 30, 100, user("b"), media),
			at("s3", 200, 250, user("c"), media),
		}, cdr.Internal, cdr.Answered, 150, 150, ""},
		{
			"dropped in mid-call",
			[]string{at("s1", 0, 60, user("a"), user("b"), failing("midcall", ""))},
			cdr.Internal,
			cdr.Answered, 60, 60, "",
		},
		{
			"sessions without times",
			[]string{at("s1", -1, -1, user("a"), user("b"))},
			cdr.Internal, cdr.Answered, -1, -1,
			"",
		},
		{
			"a session that ends before it starts",
			[]string{at("s1", 60, 0, user("a"), user("b"))},
			cdr.Internal,
			cdr.Answered, -1, -1, "",
		},
		{
			"nothing got through",
			[]string{at("s1", 0, 20, user("a"), outside, failed)},
			cdr.Outbound, cdr.NotConnected,
			-1, -1, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 { // the order of the sessions changes nothing
				r, _ := mapCall(t, callWith(c.sessions...))
				seconds := func(s cdr.Length) int {
					if !s.Known {
						return -1
					}
					return int(s.Value.Seconds())
				}
				got := fmt.Sprint(r.Direction, r.Outcome, seconds(r.Talk), seconds(r.Connected), r.UserID)
				if want := fmt.Sprint(c.direction, c.outcome, c.talk, c.connected, c.user); got != want ||
					len(r.Legs) != len(c.sessions) {
					t.Errorf("got %s with %d legs, want %s", got, len(r.Legs), want)
				}
				slices.Reverse(c.sessions)
			}
		})
	}
}

// TestLegsOfSessions: a leg has the type of the service that took it, else the type of the call.
func TestLegsOfSessions(t *testing.T) {
	r, _ := mapCall(t, callWith(at("s1", 0, 60, userEnd, `{"userAgent":{"role":"voicemail"}}`),
		at("s2", 0, 60, userEnd, userEnd)))
	want := []string{"voicemail answered voicemail", "peer_to_peer answered person"}
	for i, l := range r.Legs {
		if got := fmt.Sprint(l.Type, " ", l.Outcome, " ", l.Party); got != want[i] {
			t.Errorf("got %s, want %s", got, want[i])
		}
	}
}
