package callrecords

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

// mapped are calls by their names, in words.
type mapped map[string]string

// add maps a call record.
func (m mapped) add(t *testing.T, name, call string) {
	t.Helper()
	r, unmapped := mapCall(t, call)
	text := fmt.Sprintf("%s %s", r.Direction, r.Outcome)
	for _, part := range []struct {
		name  string
		value any
	}{
		{"reason", r.Reason},
		{"phrase", r.ReasonPhrase},
		{"type", strings.TrimPrefix(r.CallType, "peer_to_peer")},
		{"caller", r.CallerNumber},
		{"callee", r.CalleeNumber},
		{"country", r.Country},
		{"user", r.UserID},
		{"emergency", [...]string{"", "real", "test"}[r.Emergency]},
		{"bypass", r.MediaBypass.String()},
		{"talk", length(r.Talk)},
		{"connected", length(r.Connected)},
		{"ratings", strings.Join(r.Ratings, " ")},
	} {
		if part.value != "" {
			text += fmt.Sprint(", ", part.name, " ", part.value)
		}
	}
	visits := map[string]bool{}
	for _, v := range r.Visits {
		text += fmt.Sprintf(", %q %s %s", v.Queue, v.Result, length(v.Wait))
		visits[v.ID] = true
	}
	if len(visits) != len(r.Visits) {
		t.Errorf("%s: the ids of visits are %v", name, visits)
	}
	text += fmt.Sprintf(", %d legs; sessions", len(r.Legs))
	for _, s := range r.Sessions {
		one := fmt.Sprintf(" [%s %s %s %s %s", s.Result, s.Stage, s.Reason, s.Number, s.UserID)
		text += strings.TrimRight(one, " ") + "]"
	}
	for i := range r.Streams {
		text += "; " + streamRow(&r.Streams[i])
	}
	for _, u := range unmapped {
		text += "; unmapped " + u.Field + "=" + u.Value
	}
	m[name] = text
}

func length(l cdr.Length) string {
	if !l.Known {
		return ""
	}
	return l.Value.String()
}

// compare compares all with a file.
func (m mapped) compare(t *testing.T, file string) {
	t.Helper()
	text := ""
	for _, name := range slices.Sorted(maps.Keys(m)) {
		text += name + ":\n    " + m[name] + "\n"
	}
	golden.File(t, "testdata/"+file+".txt", []byte(text))
}

// TestTrapCallRecords: what call records become. A call is internal unless an end of a session is a telephone, and
// which end it is says the direction. It is answered if a session got through or failed in mid-call. Any telephone
// that was called may be that of emergency services. Ratings are the session's, each end's once.
func TestTrapCallRecords(t *testing.T) {
	ok := between(userEnd, userEnd, `"failureInfo":null`)
	failed := func(stage, reason string) string { return between(userEnd, userEnd, failing(stage, reason)) }
	called := func(number string) string { return between(userEnd, phoneEnd(`"`+number+`"`)) }
	london, paris := phoneEnd(`"+442079460100"`), phoneEnd(`"+33123456789"`)
	rated := func(rating string) string { return `{"feedback":{"rating":"` + rating + `"}}` }
	streams := func(list string) string {
		return between(userEnd, serviceEnd, `"segments":[{"media":[{"streams":[`+list+`]}]}]`)
	}
	all := mapped{}
	for name, sessions := range map[string][]string{
		"ends, users":                      {between(userEnd, userEnd)},
		"ends, a service":                  {between(userEnd, serviceEnd)},
		"ends, null":                       {between("null", "null")},
		"ends, identity null":              {between(`{"identity":null}`, `{"identity":{"user":null,"phone":null}}`)},
		"ends, phone called":               {called("+49301234***")},
		"ends, phone calling":              {between(london, serviceEnd)},
		"ends, number withheld":            {between(phoneEnd("null"), userEnd)},
		"ends, two phones":                 {between(london, paris)},
		"ends, a meeting's second session": {between(userEnd, serviceEnd), between(phoneEnd(`"+12065550100"`), serviceEnd)},
		"ends, in a segment alone": {between("null", serviceEnd, `"segments":[{"caller":null},{"caller":`+userEnd+
			`,"callee":`+paris+`}]`)},
		"ends, by the younger identity": {between(userEnd,
			`{"identity":null,"associatedIdentity":{"id":"+33123456789","displayName":null}}`)},
		"ends, a user by the younger identity": {between(
			`{"associatedIdentity":{"id":"821809f5-0000-0000-0000-3b5136c0e777"}}`, userEnd)},

		"outcome, no session":           {},
		"outcome, one that got through": {ok},
		"outcome, set up":               {failed("callSetup", "User is busy")},
		"outcome, mid-call":             {failed("midcall", "")},
		"outcome, nobody says when":     {failed("unknown", "")},
		"outcome, a younger stage":      {failed(futureValue, "")},
		"outcome, empty failure":        {between(userEnd, userEnd, `"failureInfo":{}`)},
		"outcome, one of two failed":    {failed("callSetup", "declined"), ok},
		"outcome, both failed":          {failed("callSetup", ""), failed("callSetup", "Call setup timeout")},
		"outcome, a segment failed":     {between(userEnd, userEnd, `"segments":[{`+failing("callSetup", "x")+`}]`)},

		"emergency, 911":                  {called("911")},
		"emergency, +1911":                {called("+1911")},
		"emergency, 933 is a test":        {called("933")},
		"emergency, of a meeting, second": {called("+33123456789"), called("112")},
		"emergency, real beats test":      {called("112"), called("933")},
		"emergency, test, then real":      {called("933"), called("112")},
		"emergency, calling from it":      {between(phoneEnd(`"911"`), userEnd)},
		"emergency, masked":               {called("9**")},

		"bypass, unsaid":            {streams(`{}`)},
		"bypass, null":              {streams(`{"wasMediaBypassed":null}`)},
		"bypass, no":                {streams(`{"wasMediaBypassed":false}`)},
		"bypass, yes":               {streams(`{"wasMediaBypassed":true}`)},
		"bypass, the first of two":  {streams(`{"wasMediaBypassed":true},{"wasMediaBypassed":false}`)},
		"bypass, the second of two": {streams(`{"wasMediaBypassed":false},{"wasMediaBypassed":true},{}`)},

		"ratings, both": {between(rated("bad"), rated("excellent"))},
		"ratings, repeated": {between(rated("bad"), "null", `"segments":[{"caller":`+rated("bad")+`},{"caller":`+
			rated("bad")+`}]`)},
		"ratings, in a segment alone": {between("null", userEnd, `"segments":[{"callee":`+rated("fair")+`}]`)},
		"ratings, none":               {between(rated("notRated"), `{"feedback":null}`)},
		"ratings, empty":              {between(rated(""), rated(futureValue))},
		"ratings, new":                {between(rated("superb"), userEnd)},
	} {
		all.add(t, name, callWith(sessions...))
	}
	all.add(t, "ends, a participant alone", strings.Replace(callWith(between(userEnd, userEnd)), `"sessions"`,
		`"participants_v2":[{"identity":{"phone":{"id":"+33123456789"}}}],"sessions"`, 1))
	all.add(t, "new words are reported, and the rest counts", strings.NewReplacer(`"peerToPeer"`, `"holoCall"`,
		`["audio"]`, `["audio","hologram"]`).Replace(callWith(between(`{"userAgent":{"platform":"watch"}}`, userEnd,
		failing("teardown", ""), `"segments":[{"media":[{"label":"main-audio","callerNetwork":{"connectionType":`+
			`"satellite"},"streams":[{"streamDirection":"callerToCallee"}]}]}]`))))
	all.compare(t, "calls")
}

// TestTrapStreams: units differ: durations are ISO 8601, ratios from 0 to 1, one is a percentage; what is null,
// missing, NaN or out of bounds wasn't measured (trap 12). A stream's network and platform are its sender's.
func TestTrapStreams(t *testing.T) {
	golden.Cases(t, "testdata/streams.txt", func(t *testing.T, c *golden.Case) {
		for i, line := range c.Lines {
			if label, stream, is := strings.Cut(line, " "); is {
				s, _, unmapped := streamOf(t, label, stream)
				c.Say(i, strings.Join(append([]string{streamRow(s)}, unmapped...), ", unmapped "))
			}
		}
	})
}
