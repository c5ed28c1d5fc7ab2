package calls_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
)

var began = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return began.Add(time.Duration(seconds * float64(time.Second))) }

// parseLeg reads a leg as the table writes it: `in A 0/5/20 machine, Eva`. The times are start,
// answer and end in seconds; a word is a party, an outcome, `none` for no outcome or `whole`; what
// begins with a capital is a user, `#` an id, `^` a parent and `=` a channel.
func parseLeg(t *testing.T, n int, text string) cdr.Leg {
	t.Helper()
	l := cdr.Leg{ID: strconv.Itoa(n), Direction: cdr.Internal}
	before, _, _ := strings.Cut(text, "/")
	words := strings.Fields(before)
	switch words[0] {
	case "in":
		l.Direction = cdr.Inbound
	case "out":
		l.Direction = cdr.Outbound
	}
	if l.Direction != cdr.Internal {
		if len(words) == 3 {
			l.Trunk = words[1]
		}
		text = text[strings.LastIndex(before, " ")+1:]
	}
	times, rest, _ := strings.Cut(text, " ")
	for i, part := range strings.Split(times, "/") {
		seconds, err := strconv.ParseFloat(part, 64)
		if err != nil {
			continue
		}
		*[]*time.Time{&l.Start, &l.Answer, &l.End}[i] = at(seconds)
	}
	if !l.Answer.IsZero() {
		l.Outcome = cdr.Answered
	}
	for word := range strings.FieldsSeq(strings.ReplaceAll(rest, ",", " ")) {
		party := slices.Index([]string{"person", "voicemail", "machine", "onward", "own"}, word)
		outcome := slices.IndexFunc(cdr.Outcomes(), func(o cdr.Outcome) bool { return o.String() == word })
		switch {
		case party >= 0:
			l.Party = cdr.Party(party)
		case outcome >= 0:
			l.Outcome = cdr.Outcome(outcome)
		case word == "none":
			l.NoOutcome = true
		case word == "whole":
			l.Whole = true
		case word[0] == '#':
			l.ID = word[1:]
		case word[0] == '^':
			l.Parent = word[1:]
		case word[0] == '=':
			l.Channel = word[1:]
		case word[0] >= 'A' && word[0] <= 'Z':
			l.UserID = word
		default:
			t.Fatalf("%s: %s is no word of a leg", text, word)
		}
	}
	return l
}

// describe is a call as the table writes it.
func describe(legs []cdr.Leg, c calls.Call) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	add("%s", c.Direction)
	if c.Trunk != calls.None {
		parts[0] += " " + legs[c.Trunk].Trunk
	}
	add("%s", c.Outcome)
	if len(c.Talk) > 0 {
		add("talk %g", calls.Length(c.Talk).Seconds())
	}
	if len(c.Connected) > 0 {
		add("connected %g", calls.Length(c.Connected).Seconds())
	}
	if c.Setup.Known {
		add("setup %g", c.Setup.Value.Seconds())
	}
	if c.User != calls.None && legs[c.User].UserID != "" {
		add("user %s", legs[c.User].UserID)
	}
	for _, trunk := range c.Trunks {
		way := ""
		if trunk.Direction != c.Direction {
			way = trunk.Direction.String() + " "
		}
		add("%s%s %g", way, trunk.Trunk, calls.Length(trunk.Connected).Seconds())
	}
	return strings.Join(parts, ", ")
}

var examples = []struct{ name, legs, want string }{
	{
		"a queue whose member answers", "in A 0/0/315 onward; 5/-/15 no_answer; 5/15/315 person",
		"inbound A, answered, talk 300, connected 315, setup 0, A 315",
	},
	{
		"carriers fail over", "out A 0/-/2 failed; out B 2/8/68 person",
		"outbound B, answered, talk 60, connected 60, setup 8, B 60",
	},
	{
		"carriers fail over, and the caller's leg has no trunk", "0/8/68; out A 0/-/2 failed; out B 2/8/68",
		"outbound B, answered, talk 60, connected 60, setup 8, B 60",
	},
	{
		"carriers fail over, and the PBX answers the caller", "0/0/68; out A 0/-/2 failed; out B 2/8/68",
		"outbound B, answered, talk 68, connected 68, setup 0, B 60",
	},
	{
		"no carrier takes the call", "0/0/9; out A 0/-/2 failed; out B 2/-/8 busy",
		"outbound A, answered, talk 9, connected 9, setup 0",
	},
	{"a transfer", "in A 0/5/20; in A 20/27/1170", "inbound A, answered, talk 1158, connected 1158, setup 5, A 1158"},
	{
		"a hunt group that nobody answers", "in 0/0/62 machine; 0/-/19 no_answer; 20/-/39 no_answer",
		"inbound, machine, connected 62, setup 0",
	},
	{
		"forwarded to a mobile", "in fra 0/20/100; out ams 15/20/100",
		"inbound fra, answered, talk 80, connected 80, setup 20, outbound ams 80, fra 80",
	},
	{
		"the party called is transferred", "out A 0/5/20 =7; in A 20/22/60 =7; in A 30/30/40 =8",
		"outbound A, answered, talk 53, connected 53, setup 5, inbound A 10, A 53",
	},
	{
		"channels of two trunks", "out A 0/5/20 =7; in B 20/22/60 =7",
		"outbound A, answered, talk 53, connected 53, setup 5, A 15, inbound B 38",
	},
	{
		"a queue, then voicemail", "in A 0/0/60 machine; 10/-/30 no_answer, Eva; in A 60/61/90 voicemail",
		"inbound A, voicemail, connected 89, setup 0, user Eva, A 89",
	},
	{"click to call, busy", "0/3/30 own, Ann; out A 4/-/29 busy", "outbound A, busy, connected 27, user Ann"},
	{
		"a parent whose children fail", "in 0/0/40 #p; 5/-/30 no_answer, ^p; 5/-/6 busy, ^p",
		"inbound, machine, connected 40, setup 0",
	},
	{"a parent whose child answers", "in 0/0/40 #p; 5/10/40 ^p", "inbound, answered, talk 30, connected 40, setup 0"},
	{"an outbound parent", "out A 0/0/40 #p; out B 5/-/6 busy, ^p", "outbound B, busy, connected 40, A 40"},

	{"answered for no time", "in A 0/-/5 no_answer; in A 5/9/9", "inbound A, answered, talk 0, connected 0, setup 9"},
	{"how long a person talked isn't known", "in 0/0/60 machine; 5/10", "inbound, answered, connected 60, setup 0"},

	{"a person", "in A 0/4/10", "inbound A, answered, talk 6, connected 6, setup 4, A 6"},
	{"a machine alone", "in A 0/0/10 machine", "inbound A, machine, connected 10, setup 0, A 10"},
	{"own alone is a machine's", "0/0/10 own, Ann", "internal, machine, connected 10, setup 0, user Ann"},
	{"onward alone", "in A 0/2/10 onward", "inbound A, answered, talk 8, connected 8, setup 2, A 8"},
	{"onward that wasn't answered", "in A 0/-/10 onward, no_answer", "inbound A, no_answer"},
	{
		"onward with voicemail", "in A 0/0/20 onward; 20/21/30 voicemail",
		"inbound A, voicemail, connected 29, setup 0, A 20",
	},
	{"voicemail by its outcome", "in A 0/2/10 voicemail", "inbound A, voicemail, connected 8, setup 2, A 8"},
	{
		"parallel legs", "in A 0/0/100 machine; 5/10/50; 5/20/70",
		"inbound A, answered, talk 60, connected 100, setup 0, A 100",
	},
	{"the last leg with an outcome", "out A 0/-/9 busy; out B 10/-/19 failed", "outbound B, failed"},
	{"as late, with a trunk", "0/-/9 busy; out A 0/-/9 failed", "outbound A, failed"},
	{"a leg without an outcome", "in A 0/-/9 no_answer; in A 0/-/20 none, cancelled", "inbound A, no_answer"},
	{"no outcome at all", "in A 0/-/9 none", "inbound A, unknown"},
	{"the hangup after a dial", "in A 0/-/9 busy; in A 9/-/10 machine, no_answer", "inbound A, busy"},
	{"a hangup alone", "in A 9/-/10 machine, no_answer", "inbound A, no_answer"},
	{"all circuits are busy", "out A 0/-/2 failed; 2/2/6 machine, Ann", "outbound A, failed, connected 4"},
	{"a menu behind an attempt", "in A 0/-/9 no_answer; 9/9/20 machine", "inbound A, machine, connected 11, setup 9"},
	{
		"a colleague takes what the trunk didn't", "out A 0/-/9 failed; 10/12/20",
		"outbound A, answered, talk 8, connected 8, setup 12",
	},
	{"direction of a leg with a trunk", "0/-/1 none; out 2/-/3 busy; in B 4/-/5 busy", "inbound B, busy"},
	{"origin in the same second", "0/-/9 no_answer; in A 0.9/-/9 busy", "inbound A, busy"},
	{
		"a user whose phone rang twice", "in A 0/0/60 machine; 1/-/5 no_answer, Eva; 6/-/9 no_answer, Eva",
		"inbound A, machine, connected 60, setup 0, user Eva, A 60",
	},
	{
		"two users whose phones rang", "in A 0/0/60 machine; 1/-/5 no_answer, Eva; 6/-/9 no_answer, Ann",
		"inbound A, machine, connected 60, setup 0, A 60",
	},
	{
		"two persons answer", "in A 0/0/60 machine; 1/20/60 Ann; 2/5/60 Eva",
		"inbound A, answered, talk 55, connected 60, setup 0, user Eva, A 60",
	},
	{
		"a parent with two children, one of whom answers", "in 0/0/40 #p; 5/-/6 busy, ^p; 10/12/40 ^p",
		"inbound, answered, talk 28, connected 40, setup 0",
	},
	{
		"voicemail with a child", "in A 0/2/20 voicemail, #p; 3/-/4 busy, ^p",
		"inbound A, voicemail, connected 18, setup 2, A 18",
	},
	{
		"a machine that comes in, with an attempt", "in A 0/0/60 machine; out B 5/-/9 busy",
		"inbound A, machine, connected 60, setup 0, A 60",
	},
	{
		"an attempt that a machine takes", "out A 0/2/8 machine; out B 9/-/12 busy",
		"outbound A, machine, connected 6, setup 2, A 6",
	},
	{
		"onward with a person who didn't answer", "in A 0/2/20 onward; 3/-/9 no_answer",
		"inbound A, answered, talk 18, connected 18, setup 2, A 18",
	},
	{
		"onward with a person without an outcome", "in A 0/2/20 onward; 5/10/20 none",
		"inbound A, answered, talk 18, connected 18, setup 2, A 18",
	},
	{
		"onward that wasn't answered, with a person", "in A 0/-/10 onward, no_answer; 3/-/5 busy",
		"inbound A, busy",
	},
	{
		"a person's interval without an outcome", "in A 0/0/60 machine; 5/6/50 none",
		"inbound A, machine, connected 60, setup 0, A 60",
	},
	{
		"a person's answer without an end", "in A 0/0/60 machine; 1/20 Ann; 2/5/60 Eva",
		"inbound A, answered, talk 55, connected 60, setup 0, user Eva, A 60",
	},
	{"direction of a leg without a trunk", "0/-/9 no_answer; out 2/-/3 busy", "outbound, no_answer"},
	{
		"a person on another inbound trunk", "in A 0/-/3 none; in B 4/5/9",
		"inbound A, answered, talk 4, connected 4, setup 5, B 4",
	},
	{
		"a person behind another inbound trunk", "in A 0/-/3 none; in B 4/4/60 machine; 5/6/60",
		"inbound A, answered, talk 54, connected 56, setup 4, B 56",
	},
	{
		"a trunk on the caller's side", "out A 0/-/2 failed; out B 3/4/30 own; 5/-/31 busy",
		"outbound A, busy, connected 26, B 26",
	},
	{
		"an outbound leg without an outcome", "0/8/68; out A 0/0/3 none; out B 2/8/68",
		"outbound B, answered, talk 60, connected 63, setup 0, A 3, B 60",
	},
	{
		"legs without an id", "in A 0/-/9 no_answer, #; 5/6/60 #; 7/-/9 busy",
		"inbound A, answered, talk 54, connected 54, setup 6",
	},
	{"a leg that is its own parent", "in A 0/2/9 #p, ^p", "inbound A, answered, talk 7, connected 7, setup 2, A 7"},
	{"an end before its start", "in A 10/10/5", "inbound A, answered, setup 0"},
}

func TestExamples(t *testing.T) {
	for _, c := range examples {
		t.Run(c.name, func(t *testing.T) {
			var legs []cdr.Leg
			for n, text := range strings.Split(c.legs, "; ") {
				legs = append(legs, parseLeg(t, n, text))
			}
			for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
				var ordered []cdr.Leg
				for _, i := range order {
					if i < len(legs) {
						ordered = append(ordered, legs[i])
					}
				}
				if got := describe(ordered, calls.Of(ordered)); got != c.want {
					t.Errorf("in order %v: %s\nwant %s", order, got, c.want)
				}
			}
		})
	}
}

// A connected interval is answer to end, else answer and duration, else start, ringing and duration.
func TestConnected(t *testing.T) {
	for _, c := range []struct {
		name string
		leg  cdr.Leg
		want string
	}{
		{"answer and end", cdr.Leg{
			Outcome: cdr.Answered, Start: at(0), Answer: at(5), End: at(9),
			Duration: cdr.KnownLength(time.Hour),
		}, "5-9"},
		{"answer and duration", cdr.Leg{
			Outcome: cdr.Answered, Start: at(0), Answer: at(5),
			Duration: cdr.KnownLength(3 * time.Second),
		}, "5-8"},
		{"ringing and duration", cdr.Leg{
			Outcome: cdr.Answered, Start: at(0), Ringing: cdr.KnownLength(2 * time.Second),
			Duration: cdr.KnownLength(3 * time.Second),
		}, "2-5"},
		{"duration", cdr.Leg{Outcome: cdr.Answered, Start: at(0), Duration: cdr.KnownLength(3 * time.Second)}, "0-3"},
		{"nothing", cdr.Leg{Outcome: cdr.Answered, Start: at(0), End: at(9)}, ""},
		{"not connected", cdr.Leg{Outcome: cdr.Busy, Start: at(0), Answer: at(5), End: at(9)}, ""},
		{"own", cdr.Leg{Outcome: cdr.NoAnswer, Party: cdr.Own, Start: at(0), Answer: at(5), End: at(9)}, "5-9"},
		{"own without an answer", cdr.Leg{
			Outcome: cdr.NoAnswer, Party: cdr.Own, Start: at(0), End: at(9),
			Duration: cdr.KnownLength(9 * time.Second),
		}, ""},
		{"no time", cdr.Leg{Outcome: cdr.Answered, Start: at(0), Answer: at(5), End: at(5)}, "5-5"},
		{"a duration of 0", cdr.Leg{Outcome: cdr.Answered, Start: at(0), Duration: cdr.KnownLength(0)}, "0-0"},
		{"an end before the answer", cdr.Leg{Outcome: cdr.Answered, Start: at(0), Answer: at(5), End: at(4)}, ""},
		{"a month and more", cdr.Leg{Outcome: cdr.Answered, Start: at(0), Answer: at(0), End: at(40 * 86400)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if i := c.leg.Connected(); !i.To.IsZero() {
				got = fmt.Sprintf("%g-%g", i.From.Sub(began).Seconds(), i.To.Sub(began).Seconds())
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The order of the legs changes nothing.
func TestAnyOrder(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		legs := make([]cdr.Leg, 1+rng.IntN(6))
		for i := range legs {
			l := &legs[i]
			*l = cdr.Leg{
				ID: strconv.Itoa(i), Start: at(float64(rng.IntN(40)) / 2),
				Direction: []cdr.Direction{cdr.Inbound, cdr.Outbound, cdr.Internal, cdr.DirectionUnknown}[rng.IntN(4)],
				Party:     cdr.Party(rng.IntN(5)), Outcome: cdr.Outcomes()[rng.IntN(len(cdr.Outcomes()))],
				NoOutcome: rng.IntN(5) == 0,
				Trunk:     []string{"", "A", "B"}[rng.IntN(3)], UserID: []string{"", "Ann", "Eva"}[rng.IntN(3)],
				Whole: rng.IntN(2) == 0, Channel: []string{"", "1", "2"}[rng.IntN(3)],
			}
			if rng.IntN(2) == 0 {
				l.Answer = l.Start.Add(time.Duration(rng.IntN(5)) * time.Second)
			}
			if rng.IntN(3) > 0 {
				l.End = l.Start.Add(time.Duration(rng.IntN(30)) * time.Second)
			}
			if rng.IntN(3) == 0 {
				l.Parent = strconv.Itoa(rng.IntN(6))
			}
		}
		// Records give the rest of a call, such as its labels: so it must be the same legs too.
		describe := func() string {
			c := calls.Of(legs)
			text := describe(legs, c) + ", by legs"
			for _, i := range []int{c.Origin, c.Route, c.Trunk, c.By, c.User} {
				if i != calls.None {
					text += " " + legs[i].ID
				}
			}
			return text
		}
		want := describe()
		for range 10 {
			rng.Shuffle(len(legs), func(i, j int) { legs[i], legs[j] = legs[j], legs[i] })
			if got := describe(); got != want {
				t.Fatalf("seed %d: %s, and in another order %s: choose legs by set.first or set.least alone", seed,
					want, got)
			}
		}
	}
}
