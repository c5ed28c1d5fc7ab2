package callrecords

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
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
	phone, media, box := phoneEnd(`"+442079460100"`), `{"userAgent":{"role":"mediaController"}}`, `{"userAgent":{"role":"voicemail"}}`
	agent := `{"identity":{"user":{"id":"agent","displayName":"Sam"}},"userAgent":{"platform":"windows"}}`
	const role = `{"userAgent":{"role":"skypeForBusinessCallQueues"}`
	queue, attendant := service("skypeForBusinessCallQueues", "q1", "Support"),
		service("skypeForBusinessAutoAttendant", "a1", "Front desk")
	application := func(id, name string) string {
		return `{"identity":{"applicationInstance":{"id":"` + id + `","displayName":"` + name + `"}}}`
	}
	unnamed := at("s1", 0, 60, phone, role+"}")
	withParticipants := func(list string, sessions ...string) string {
		call := callWith(append(sessions, unnamed)...)
		return strings.Replace(call, `"sessions"`, `"participants_v2":[`+list+`],"sessions"`, 1)
	}
	whole, answered := at("s1", 0, 90, phone, queue), at("s2", 12, 90, agent, media)
	minute := at("s1", 0, 60, phone, queue)
	bodies := mapped{}
	for name, call := range map[string]string{
		"no queue":                     callWith(at("s1", 0, 60, phone, agent)),
		"answered":                     callWith(whole, answered),
		"listed twice":                 callWith(whole, at("S1", 0, 90, phone, queue), answered),
		"answered by the first of two": callWith(whole, at("s3", 20, 90, agent, media), answered),
		"dropped later":                callWith(whole, at("s2", 12, 90, agent, media, failing("midcall", ""))),
		"an agent who didn't answer": callWith(at("s1", 0, 45, phone, queue),
			at("s2", 12, 30, agent, media, failing("callSetup", ""))),
		"a colleague who called the queue": callWith(at("s1", 0, 45, agent, queue), at("s2", 12, 45, agent, media)),
		"from the attendant to the queue": callWith(at("s2", 10, 60, phone, queue), at("s1", 0, 10,
			phone, attendant),
			at("s3", 25, 60, agent, media)),
		"both at once":        callWith(minute, at("s2", 0, 10, phone, attendant), at("s3", 25, 60, agent, media)),
		"from queue to queue": callWith(minute, at("s2", 40, 90, phone, service(roleQueue, "q2", "Sales"))),
		"to voicemail":        callWith(minute, at("s2", 50, 60, phone, box)),
		"from the attendant to voicemail": callWith(at("s1", 0, 60, phone, attendant), at("s2", 50, 60,
			phone, box)),
		"without a start": callWith(at("s1", -1, 60, phone, queue)),
		"without an end":  callWith(at("s1", 0, -1, phone, queue)),
		"named by its user": callWith(at("s1", 0, 60, phone,
			role+`,"identity":{"user":{"id":"q1","displayName":" Support "}}}`)),
		"named by its application": callWith(at("s1", 0, 60, phone,
			role+","+application("q1", "Support")[1:])),
		"named by the record's only application": withParticipants(application("q1", "Support")),
		"one of two applications": withParticipants(application("q1",
			"Support") + "," + application("q2", "Sales")),
		"a participant's application that calls": withParticipants(application("agent", "Support"), answered),
	} {
		bodies.add(t, name, call)
	}
	bodies.compare(t, "visits")
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
			require.NoError(t, err)
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

// A call that is looked up shows the outcome that counted: each listing of a session names a service, whose own
// sessions aren't a person's.
func TestLookUpKnowsEveryListedService(t *testing.T) {
	caller, media := phoneEnd(`"+442079460100"`), `{"userAgent":{"role":"mediaController"}}`
	body := callWith(at("S1", 0, 60, caller, service(roleQueue, "q1", "Support")),
		at("s1", 0, 60, caller, service(roleAttendant, "a1", "Front desk")),
		at("s2", 10, 60, `{"identity":{"user":{"id":"q1","displayName":null}}}`, media))
	g := &providertest.Script{Answers: []answer{{Body: body}, {Body: `{"value":[]}`}}}
	tree, err := recordsOf(t, g).LookUp(t.Context(), record1)
	require.NoError(t, err)
	text := treeText(tree, "")
	if !strings.Contains(text, "  outcome: machine\n") || strings.Count(text, "\n    session\n") != 2 {
		t.Errorf("it shows\n%s", text)
	}
}
