package web

import (
	"strings"
	"testing"
	"time"
)

// certificateExpired is why the example's SBC fails.
var certificateExpired = Ending{SIPCode: "504", SubCode: "569008", Reason: "certificate_expired", FaultDomain: "sbc"}

// trunk has these results, of which the newest began a minute ago.
func trunk(name, results string) Trunk {
	return Trunk{Name: name, Direction: "outbound", Results: results, Newest: ago(time.Minute)}
}

// operator is a trunk of a feed that doesn't say why a call didn't connect.
func operator(name, results string) Trunk {
	t := trunk(name, results)
	t.NoReasons, t.Unconnected.FaultDomain = true, "unknown"
	return t
}

// failing is a trunk whose failures have a cause and a beginning.
func failing(name, results string, since time.Duration) Trunk {
	t := trunk(name, results)
	if t.Faults = certificateExpired; strings.HasSuffix(results, ResultFault) {
		t.Faults.Since = ago(since)
	}
	return t
}

// reading is a feed that is read up to now.
func reading(trunks ...Trunk) Feed {
	return Feed{Feed: "direct_routing", State: StateOK, Watermark: ago(time.Minute), LastSuccess: ago(time.Minute), Trunks: trunks}
}

func in(state State, behind time.Duration, problem string, trunks ...Trunk) Feed {
	f := reading(trunks...)
	f.State, f.Watermark, f.LastError = state, ago(behind), problem
	return f
}

func statusWith(feeds ...Feed) Status {
	return Status{Ready: true, Now: Time(now), Sources: []Source{{Name: "contoso", Provider: "msgraph", Feeds: feeds}}}
}

// sentence is a finding as the page words it.
func sentence(v view, f Finding) string {
	text := f.Subject + ": " + f.What
	if !f.Since.IsZero() {
		text += ", since " + v.At(f.Since).Text
	}
	if !f.AsOf.IsZero() {
		text += " (read up to " + v.At(f.AsOf).Text + ")"
	}
	for _, more := range []string{f.Cause, f.Whose} {
		if more != "" {
			text += "; " + more
		}
	}
	return text
}

var (
	good = strings.Repeat("cco", 21) + "c"
	bad  = strings.Repeat("f", 64)
)

func TestVerdict(t *testing.T) {
	quiet := trunk("sbc3.example.com", good)
	quiet.Newest = ago(30 * time.Hour)
	refused := trunk("sbc1.example.com", strings.Repeat("o", 64))
	refused.Unconnected = Ending{Since: ago(time.Hour), SIPCode: "403", SubCode: "510560", Reason: "outbound_not_allowed", FaultDomain: "policy"}
	inbound := trunk("sbc1.example.com", good)
	inbound.Direction = "inbound"
	firstHistory := statusWith(Feed{Feed: "pstn", State: StateCatchingUp})
	firstHistory.Ready, firstHistory.NotReady = false, "the first history of contoso/pstn is still being read"
	unclear := trunk("", strings.Repeat("f", 6))
	unclear.Faults.FaultDomain = "unknown"
	office := Status{Ready: true, Now: Time(now), Sources: []Source{
		{Name: "office", Provider: "ringcentral", Feeds: []Feed{reading(unclear)}},
	}}
	office.Sources[0].Feeds[0].Feed = "call_log"
	for name, test := range map[string]struct {
		status   Status
		level    Level
		text     string
		findings []string
	}{
		"no source": {Status{Ready: true, Now: Time(now)}, LevelUnknown, "Can't tell whether calls get through: no source is configured.", nil},
		"no calls":  {statusWith(reading()), LevelUnknown, "Can't tell whether calls get through: no calls yet.", nil},
		"first history": {
			firstHistory, LevelUnknown, "Can't tell whether calls get through yet: the first history of contoso/pstn is still being read.",
			[]string{"contoso pstn: can't tell; nothing has been read yet"},
		},
		"all is well": {
			statusWith(reading(trunk("sbc1.example.com", good), inbound, trunk("sbc2.example.com", "cccc"))), LevelOK,
			"Calls get through on all 2 trunks.", nil,
		},
		"one trunk, a few failures": {statusWith(reading(trunk("sbc1.example.com", "f"+good[:60]+"fcf"))), LevelOK, "Calls get through on the only trunk.", nil},
		"one trunk down": {
			statusWith(reading(trunk("sbc2.example.com", good), failing("sbc1.example.com", bad, 79*time.Minute), inbound)), LevelBad,
			"Calls fail on 1 of 2 trunks.",
			[]string{"sbc1.example.com, outbound: 64 of the last 64 attempts failed, since 10:41 UTC; certificate expired (569008); your SBC"},
		},
		"just went down": {
			statusWith(reading(failing("sbc1.example.com", good[:57]+"fffffff", 9*time.Minute))), LevelBad, "Calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: the last 7 attempts failed, since 11:51 UTC; certificate expired (569008); your SBC"},
		},
		"down but for one call that got through": {
			statusWith(reading(failing("sbc1.example.com", strings.Repeat("f", 60)+"cfff", 2*time.Minute))), LevelBad, "Calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 63 of the last 64 attempts failed, since 11:58 UTC; certificate expired (569008); your SBC"},
		},
		"mended": {statusWith(reading(trunk("sbc1.example.com", strings.Repeat("f", 48)+good[:16]))), LevelOK, "Calls get through on the only trunk.", nil},
		"all trunks down": {
			statusWith(reading(failing("sbc2.example.com", "fffffff", 9*time.Minute), failing("sbc1.example.com", bad, time.Hour))), LevelBad,
			"Calls fail on all 2 trunks.",
			[]string{
				"sbc1.example.com, outbound: 64 of the last 64 attempts failed, since 11:00 UTC; certificate expired (569008); your SBC",
				"sbc2.example.com, outbound: 7 of the last 7 attempts failed, since 11:51 UTC; certificate expired (569008); your SBC",
			},
		},
		"three faults at night": {
			statusWith(reading(failing("sbc1.example.com", "fff", 3*time.Hour))), LevelWarn, "Some calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 3 of the last 3 attempts failed, since 09:00 UTC; certificate expired (569008); your SBC"},
		},
		"some fail": {
			statusWith(reading(failing("sbc1.example.com", good[:48]+strings.Repeat("cff", 5)+"c", 0), trunk("sbc2.example.com", good))), LevelWarn,
			"Some calls fail on 1 of 2 trunks.",
			[]string{"sbc1.example.com, outbound: 10 of the last 16 attempts failed; certificate expired (569008); your SBC"},
		},
		"every call is refused": {
			statusWith(reading(refused)), LevelBad, "Calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: none of the last 64 attempts connected, since 11:00 UTC; outbound not allowed (510560); " +
				"your policy, licence or credit"},
		},
		"no trunk has a name": {
			office, LevelBad, "Calls fail on the only trunk.",
			[]string{"office call_log, outbound: 6 of the last 6 attempts failed; no reason given; unclear whose fault"},
		},
		"too few to tell": {
			statusWith(reading(trunk("sbc1.example.com", "fo"))), LevelUnknown, "Can't tell whether calls get through.",
			[]string{"sbc1.example.com, outbound: can't tell, 0 of the last 2 attempts connected"},
		},
		"pstn connects": {statusWith(reading(operator("Colt", good))), LevelOK, "Calls get through on the only trunk.", nil},
		"pstn connects nothing": {
			statusWith(reading(operator("Colt", good[:40]+strings.Repeat("o", 24)))), LevelBad, "Calls fail on the only trunk.",
			[]string{"Colt, outbound: none of the last 24 attempts connected; the provider doesn't say why; unclear whose fault"},
		},
		"pstn connects little": {
			statusWith(reading(operator("Colt", good[:48]+"oooooooooooocooc"))), LevelUnknown, "Can't tell whether calls get through.",
			[]string{"Colt, outbound: can't tell, 2 of the last 16 attempts connected"},
		},
		"call records beside direct routing are no trunk": {
			statusWith(reading(trunk("sbc1.example.com", good)), reading(operator("", good))), LevelOK, "Calls get through on the only trunk.", nil,
		},
		"a trunk is quiet": {
			statusWith(reading(trunk("sbc1.example.com", good), quiet)), LevelOK, "Calls get through on 1 of 2 trunks; too few recent calls to tell of the rest.",
			[]string{"sbc3.example.com, outbound: can't tell, no call, since 28 Mar 06:00 UTC"},
		},
		"a feed fails": {
			statusWith(in(StateError, 70*time.Minute, "403 Forbidden", trunk("sbc1.example.com", good))), LevelUnknown,
			"Can't tell whether calls get through.",
			[]string{"contoso direct_routing: can't tell, since 10:50 UTC; 403 Forbidden"},
		},
		"a feed fails while a trunk is down": {
			statusWith(in(StateError, 70*time.Minute, "403 Forbidden", failing("sbc1.example.com", "fffff", 90*time.Minute))), LevelBad,
			"Calls fail on the only trunk.",
			[]string{
				"sbc1.example.com, outbound: 5 of the last 5 attempts failed, since 10:30 UTC (read up to 10:50 UTC); certificate expired (569008); your SBC",
				"contoso direct_routing: can't tell, since 10:50 UTC; 403 Forbidden",
			},
		},
		"a feed is behind": {
			statusWith(in(StateCatchingUp, 70*time.Minute, "", trunk("sbc1.example.com", good)), reading(trunk("sbc2.example.com", good))), LevelUnknown,
			"Calls get through on 1 of 2 trunks; not every feed is up to date.",
			[]string{"contoso direct_routing: can't tell, since 10:50 UTC; older calls are being read first"},
		},
		"throttled for a moment": {
			statusWith(in(StateThrottled, 2*time.Minute, "429", trunk("sbc1.example.com", good))), LevelOK, "Calls get through on the only trunk.", nil,
		},
		"throttled for long": {
			statusWith(in(StateThrottled, time.Hour, "429 Too Many Requests", trunk("sbc1.example.com", good))), LevelUnknown,
			"Can't tell whether calls get through.",
			[]string{"contoso direct_routing: can't tell, since 11:00 UTC; 429 Too Many Requests"},
		},
		"a snapshot says nothing of failures": {
			statusWith(reading(trunk("sbc1.example.com", good)), Feed{Feed: "active_calls", Snapshot: true, State: StateError}), LevelOK,
			"Calls get through on the only trunk.", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			v, _ := judge(test.status)
			if v.Level != test.level || v.Text != test.text {
				t.Errorf("got %s %q, want %s %q", v.Level, v.Text, test.level, test.text)
			}
			var findings []string
			for _, f := range v.Findings {
				findings = append(findings, sentence(view{Status: test.status}, f))
			}
			if got, want := strings.Join(findings, "\n"), strings.Join(test.findings, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
