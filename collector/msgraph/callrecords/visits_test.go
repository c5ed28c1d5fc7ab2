package callrecords

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
)

// at is a session between two ends from one second of the call to another; a negative one isn't given.
func at(id string, from, to int, caller, callee string, members ...string) string {
	all := append([]string{`"id":"` + id + `"`, `"caller":` + caller, `"callee":` + callee}, members...)
	for key, second := range map[string]int{"startDateTime": from, "endDateTime": to} {
		if second >= 0 {
			all = append(all, fmt.Sprintf(`%q:"2026-11-19T10:%02d:%02dZ"`, key, second/60, second%60))
		}
	}
	return `{` + strings.Join(all, ",") + `}`
}

// service is an end at a queue or another service, with its resource account.
func service(role, id, name string) string {
	return `{"userAgent":{"role":"` + role + `"},"associatedIdentity":{"id":"` + id + `","displayName":"` + name + `"}}`
}

// queues.md 4: what a Teams call record tells of visits, first match first. A queue's session has
// the queue as its callee, and an agent who answers is the caller of a later one.
func TestVisits(t *testing.T) {
	phone := phoneEnd(`"+442079460100"`)
	agent := `{"identity":{"user":{"id":"agent","displayName":"Sam"}},"userAgent":{"platform":"windows"}}`
	media := `{"userAgent":{"role":"mediaController"}}`
	queue, attendant := service("skypeForBusinessCallQueues", "q1", "Support"),
		service("skypeForBusinessAutoAttendant", "a1", "Front desk")
	box := `{"userAgent":{"role":"voicemail"}}`
	withParticipants := func(call, list string) string {
		return strings.Replace(call, `"sessions"`, `"participants_v2":[`+list+`],"sessions"`, 1)
	}
	for _, c := range []struct{ name, call, want string }{
		{"no queue", callWith(at("s1", 0, 60, phone, agent)), ""},
		{"answered", callWith(at("s1", 0, 90, phone, queue), at("s2", 12, 90, agent, media)), "Support answered 12s"},
		{"listed twice", callWith(at("s1", 0, 90, phone, queue), at("S1", 0, 90, phone, queue),
			at("s2", 12, 90, agent, media)), "Support answered 12s"},
		{"answered by the first of two", callWith(at("s1", 0, 90, phone, queue), at("s3", 20, 90, agent, media),
			at("s2", 12, 90, agent, media)), "Support answered 12s"},
		{"dropped later", callWith(at("s1", 0, 90, phone, queue),
			at("s2", 12, 90, agent, media, failing("midcall", ""))), "Support answered 12s"},
		{"an agent who didn't answer", callWith(at("s1", 0, 45, phone, queue),
			at("s2", 12, 30, agent, media, failing("callSetup", ""))), "Support abandoned 45s"},
		{
			"a colleague who called the queue", callWith(at("s1", 0, 45, agent, queue), at("s2", 12, 45, agent, media)),
			"Support abandoned 45s",
		},
		{
			"from the attendant to the queue",
			callWith(at("s2", 10, 60, phone, queue), at("s1", 0, 10, phone, attendant), at("s3", 25, 60, agent, media)),
			"Front desk other 10s, Support answered 15s",
		},
		{"both at once", callWith(at("s1", 0, 60, phone, queue), at("s2", 0, 10, phone, attendant),
			at("s3", 25, 60, agent, media)), "Front desk other 0s, Support answered 25s"},
		{"from queue to queue", callWith(at("s1", 0, 60, phone, queue),
			at("s2", 40, 90, phone, service(roleQueue, "q2", "Sales"))), "Support overflowed 40s, Sales abandoned 50s"},
		{
			"to voicemail", callWith(at("s1", 0, 60, phone, queue), at("s2", 50, 60, phone, box)),
			"Support overflowed 50s",
		},
		{
			"from the attendant to voicemail", callWith(at("s1", 0, 60, phone, attendant), at("s2", 50, 60, phone, box)),
			"Front desk other 50s",
		},
		{"without a start", callWith(at("s1", -1, 60, phone, queue)), "Support abandoned unknown"},
		{"without an end", callWith(at("s1", 0, -1, phone, queue)), "Support abandoned unknown"},
		{"named by its user", callWith(at("s1", 0, 60, phone,
			`{"userAgent":{"role":"skypeForBusinessCallQueues"},"identity":{"user":{"id":"q1","displayName":" Support "}}}`)), "Support abandoned 1m0s"},
		{
			"named by its application",
			callWith(at("s1", 0, 60, phone,
				`{"userAgent":{"role":"skypeForBusinessCallQueues"},"identity":{"applicationInstance":{"id":"q1","displayName":"Support"}}}`)), "Support abandoned 1m0s",
		},
		{
			"named by the record's only application",
			withParticipants(callWith(at("s1", 0, 60, phone, `{"userAgent":{"role":"skypeForBusinessCallQueues"}}`)),
				`{"identity":{"applicationInstance":{"id":"q1","displayName":"Support"}}}`),
			"Support abandoned 1m0s",
		},
		{
			"one of two applications",
			withParticipants(callWith(at("s1", 0, 60, phone, `{"userAgent":{"role":"skypeForBusinessCallQueues"}}`)),
				`{"identity":{"applicationInstance":{"id":"q1","displayName":"Support"}}},{"identity":{"applicationInstance":{"id":"q2","displayName":"Sales"}}}`),
			" abandoned 1m0s",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := mapCall(t, c.call)
			var got []string
			ids := make(map[string]bool)
			for _, v := range r.Visits {
				wait := "unknown"
				if v.Wait.Known {
					wait = v.Wait.Value.String()
				}
				got = append(got, v.Queue+" "+v.Result.String()+" "+wait)
				ids[v.ID] = true
			}
			if text := strings.Join(got, ", "); text != c.want || len(ids) != len(got) {
				t.Errorf("got %q with ids %v, want %q", text, ids, c.want)
			}
		})
	}
}

// One session that is listed for an attendant and for queues is a visit of each, on one page or
// on several. Its streams and ratings count once.
func TestSessionListedForSeveralServices(t *testing.T) {
	const content = `"segments":[{"id":"s1","media":[{"streams":[{"streamDirection":"callerToCallee"}]}]}]`
	const answered = "Front desk other 0s, Support answered 25s"
	caller := `{"identity":{"phone":{"id":"+442079460100"}},"feedback":{"rating":"good"}}`
	listed := func(role, id, name string) string { return at("S1", 0, 60, caller, service(role, id, name), content) }
	attendant, queue := listed(roleAttendant, "a1", "Front desk"), listed(roleQueue, "q1", "Support")
	again, sales := strings.Replace(queue, "S1", "s1", 1), listed(roleQueue, "q2", "Sales")
	agent := at("s2", 25, 60, `{"identity":{"user":{"id":"agent"}}}`, `{"userAgent":{"role":"mediaController"}}`)
	for _, c := range []struct {
		name          string
		first, second []string
		want          string
	}{
		{"an attendant and a queue", []string{attendant, queue, agent}, nil, answered},
		{"the queue first", []string{queue, agent, attendant}, nil, answered},
		{"on two pages", []string{attendant}, []string{queue, agent}, answered},
		{"one of them on both pages", []string{attendant, queue}, []string{again, agent}, answered},
		{"two queues", []string{queue, sales, agent}, nil, "Support overflowed 0s, Sales answered 25s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answers := []answer{{Body: callWith(c.first...)}, {Body: `{"value":[]}`}}
			if c.second != nil {
				next := `"sessions@odata.nextLink":` + link("sessions?a") + `,"sessions"`
				answers[0].Body = strings.Replace(answers[0].Body, `"sessions"`, next, 1)
				answers = slices.Insert(answers, 1, answer{Body: `{"value":[` + strings.Join(c.second, ",") + `]}`})
			}
			record, err := recordsOf(t, &providertest.Script{Answers: answers}).read(t.Context(), record1)
			if err != nil {
				t.Fatal(err)
			}
			r := newTestMapper().mapRecord(record, true)
			var got []string
			for _, v := range r.Visits {
				got = append(got, fmt.Sprint(v.Queue, " ", v.Result, " ", v.Wait.Value))
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
			if len(r.Sessions) != 2 || len(r.Streams) != 1 || len(r.Ratings) != 1 {
				t.Errorf("%d sessions, %d streams, %d ratings", len(r.Sessions), len(r.Streams), len(r.Ratings))
			}
		})
	}
}
