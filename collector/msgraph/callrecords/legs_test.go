package callrecords

import (
	"slices"
	"strings"
	"testing"
)

// TestCallOfSessions: sessions of a call of five minutes, and the call that they make.
func TestCallOfSessions(t *testing.T) {
	user := func(id string) string {
		return `{"identity":{"user":{"id":"` + id + `","displayName":"Sam"}},"userAgent":{"platform":"windows"}}`
	}
	role := func(role string) string { return `{"userAgent":{"role":"` + role + `"}}` }
	phone, outside, a, b := phoneEnd(`"+442079460100"`), phoneEnd(`"+33123456789"`), user("a"), user("b")
	media, queue, box := role("mediaController"), service(roleQueue, "q1", "Support"), role(roleVoicemail)
	attendant := service(roleAttendant, "a1", "Desk")
	// The resource accounts call the conference in which the caller waits, and so does a user of Microsoft's.
	account := func(id, agent string) string {
		return `{"identity":{"user":{"id":"` + id + `","displayName":null}},"userAgent":{` + agent + `}}`
	}
	waits := []string{
		at("s1", 0, 10, phone, attendant), at("s2", 10, 60, phone, queue),
		at("s3", 0, 10, account("a1", `"role":"`+roleAttendant+`"`), media), at("s4", 10, 60, account("q1", ""), media),
		at("s5", 10, 60, account("9e133cac-5238-4d1e-aaa0-d8ff4ca23f4e", ""), media),
	}
	failed := failing("callSetup", "noAnswer")
	bodies := mapped{}
	for name, sessions := range map[string][]string{
		"all of the call": {at("s1", 0, 300, a, b)},
		"nobody answers, then voicemail": {
			at("s1", 0, 25, phone, user("eva"), failed), at("s2", 25, 60, phone, box),
		},
		"voicemail of old":                    {at("s1", 25, 60, phone, role("exchangeUnifiedMessagingService"))},
		"an attendant that the caller leaves": {at("s1", 0, 20, phone, attendant)},
		"an attendant within another": {
			at("s1", 0, 20, phone, attendant), at("s2", 10, 30, phone, service(roleAttendant, "a2", "Sales")),
		},
		"a bot": {at("s1", 0, 20, phone, role("customBot"))},
		"a queue that nobody answers": {
			at("s1", 0, 45, phone, queue), at("s2", 12, 30, user("ann"), media, failed),
		},
		"an agent answers": {
			at("s1", 0, 90, phone, queue), at("s2", 12, 20, user("ann"), media, failed),
			at("s3", 20, 90, user("bob"), media),
		},
		"services that call, and nobody answers": waits,
		"services that call, and an agent answers": append(slices.Clone(waits),
			at("s6", 20, 60, user("bob"), media)),
		"an agent's telephone that only rang": {
			at("s1", 0, 90, phone, queue), at("s2", 20, 20, user("ann"), media), at("s3", 30, 90, user("bob"), media),
		},
		"all agents' telephones only rang": {
			at("s1", 0, 90, phone, queue), at("s2", 20, 20, user("ann"), media), at("s3", 30, 30, user("bob"), media),
		},
		"a user who leaves a queue at once": {at("s1", 0, 0, a, queue)},
		"a service calls somebody without a name": {
			at("s2", 10, 60, role("mediationServer"), `{"userAgent":{"platform":"windows"}}`),
		},
		"a queue, then voicemail":              {at("s1", 0, 45, phone, queue), at("s2", 45, 60, phone, box)},
		"the caller's own side of a queue":     {at("s1", 0, 45, a, queue), at("s2", 0, 45, a, media)},
		"a caller by telephone has a side too": {at("s1", 0, 45, phone, queue), at("s2", 0, 45, phone, media)},
		"a caller who withholds the number has a side too": {
			at("s1", 0, 45, phoneEnd("null"), queue), at("s2", 0, 45, phoneEnd("null"), media),
		},
		"a caller who withholds the number, and an agent answers": {
			at("s1", 0, 90, phoneEnd("null"), queue), at("s2", 0, 90, phoneEnd("null"), media),
			at("s3", 20, 90, user("bob"), media),
		},
		"a queue that sends the caller to another telephone": {
			at("s1", 0, 20, phone, queue), at("s2", 15, 80, media, outside),
		},
		"a conference is persons": {at("s1", 0, 60, phone, role("conferencingAttendant"))},
		"a meeting's parts overlap": {
			at("s1", 0, 60, a, media), at("s2", 30, 100, b, media), at("s3", 200, 250, user("c"), media),
		},
		"dropped in mid-call":                  {at("s1", 0, 60, a, b, failing("midcall", ""))},
		"sessions without times":               {at("s1", -1, -1, a, b)},
		"a session that ends before it starts": {at("s1", 60, 0, a, b)},
		"nothing got through":                  {at("s1", 0, 20, a, outside, failed)},
	} {
		bodies.add(t, name, callWith(sessions...))
		was := bodies[name]
		slices.Reverse(sessions) // the order of the sessions changes nothing
		if bodies.add(t, name, callWith(sessions...)); len(sessions) > 1 && summary(was) != summary(bodies[name]) {
			t.Errorf("%s: in another order %s, not %s", name, bodies[name], was)
		}
		bodies[name] = was
	}
	bodies.compare(t, "calls_of_sessions")
}

// summary is what sessions amount to in any order.
func summary(text string) string { return text[:strings.Index(text, " sessions")] }
