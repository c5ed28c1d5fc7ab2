package web

import (
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
)

// attempts describes the attempts of a trunk.
type attempts struct {
	trunk, results string
	direction      cdr.Direction
	noReasons      bool
	newest         time.Duration // ago
	since          time.Duration // how long ago their last run began; 0: a second before its next attempt
	other          cdr.Record    // attempts that don't connect, in addition to faults
	labels         cdr.Labels    // the operator's, of all but the oldest
}

// counted are attempts as they are kept when they are counted for a feed. Faults are of an expired
// certificate, if that is given a beginning.
func (a *attempts) counted(source, feed string) metrics.LastAttempts {
	start := func(i int) time.Time {
		at := now.Add(-a.newest - time.Duration(len(a.results)-1-i)*time.Second)
		if run := strings.TrimRight(a.results, a.results[len(a.results)-1:]); a.since > 0 && i <= len(run) {
			at = now.Add(-a.since - time.Duration(len(run)-i)*time.Second)
		}
		return at
	}
	series := metrics.NewFeed(source, "p", feed, true)
	series.NoReasons = a.noReasons
	store := metrics.NewStore(metrics.Options{SeriesLimit: 10}, time.Now)
	store.Active(series, true)
	changes := store.Begin(series, now)
	for i, result := range a.results {
		r := cdr.Record{Outcome: cdr.Answered}
		switch string(result) {
		case resultFault:
			r = cdr.Record{Outcome: cdr.Failed}
			if a.since > 0 {
				r.SIPCode, r.SubCode, r.Reason, r.FaultDomain = cdr.KnownInt(504), cdr.KnownInt(569008),
					"certificate_expired", cdr.FaultSBC
			}
		case resultOther:
			r = a.other
		}
		r.Trunk, r.Direction, r.Start = a.trunk, a.direction, start(i)
		if i > 0 {
			r.Labels = a.labels
		}
		changes.Add(&facts.Fact{Kind: facts.Attempt, Record: &r})
	}
	changes.Apply(nil)
	return store.LastAttempts()[0]
}

// trunk has these results, of which the newest began a minute ago.
func trunk(name, results string) attempts {
	return attempts{
		trunk: name, results: results, direction: cdr.Outbound, newest: time.Minute,
		other: cdr.Record{Outcome: cdr.Busy},
	}
}

// operator is a trunk of a feed that doesn't say why a call didn't connect.
func operator(name, results string) attempts {
	t := trunk(name, results)
	t.noReasons, t.other.Outcome = true, cdr.NotConnected
	return t
}

// failing is a trunk whose failures have a cause and a beginning.
func failing(name, results string, since time.Duration) attempts {
	t := trunk(name, results)
	t.since = since
	return t
}

// counted are the attempts of a feed.
func counted(source, feed string, trunks ...attempts) (all []metrics.LastAttempts) {
	for _, t := range trunks {
		all = append(all, t.counted(source, feed))
	}
	return all
}

// reading is a feed that is read up to now.
func reading(trunks ...attempts) Feed {
	return Feed{
		Feed: "direct_routing", State: StateOK, Watermark: ago(time.Minute), LastSuccess: ago(time.Minute),
		Trunks: counted("contoso", "direct_routing", trunks...),
	}
}

func in(state State, behind time.Duration, problem string, trunks ...attempts) Feed {
	f := reading(trunks...)
	f.State, f.Watermark, f.LastError = state, ago(behind), problem
	return f
}

func statusWith(feeds ...Feed) Status {
	return Status{
		Ready: true, Thresholds: thresholds.Default(), Now: Time{now},
		Sources: []Source{{Name: "contoso", Provider: "msgraph", Feeds: feeds}},
	}
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
	for _, more := range []string{f.Cause, f.Whose, f.Affected} {
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
	berlins := failing("sbc1.example.com", bad, 79*time.Minute)
	berlins.labels = cdr.NewLabels([]cdr.Label{{Name: "cost_centre", Value: "4711"}, {Name: "site", Value: "Berlin"}})
	quiet := trunk("sbc3.example.com", good)
	quiet.newest = 30 * time.Hour
	refused := trunk("sbc1.example.com", strings.Repeat("o", 64))
	refused.since = time.Hour
	refused.other = cdr.Record{
		Outcome: cdr.NotAllowed, SIPCode: cdr.KnownInt(403), SubCode: cdr.KnownInt(510560),
		Reason: "outbound_not_allowed", FaultDomain: cdr.FaultPolicy,
	}
	inbound := trunk("sbc1.example.com", good)
	inbound.direction = cdr.Inbound
	yesterdays := trunk("sbc1.example.com", good[:16]+"ffffffff"+good[:40])
	yesterdays.newest = 13 * time.Hour
	few := trunk("sbc1.example.com", strings.Repeat("c", 30))
	few.direction = cdr.Inbound
	generous := statusWith(reading(trunk("sbc1.example.com", good[:48]+"cfcfcfcccfcccccc")))
	generous.Thresholds.ErrorBudget = 0.05
	firstHistory := statusWith(Feed{Feed: "pstn", State: StateCatchingUp})
	firstHistory.Ready, firstHistory.NotReady = false, "the first history of contoso/pstn is still being read"
	unclear := reading()
	unclear.Feed, unclear.Trunks = "call_log", counted("office", "call_log", trunk("", strings.Repeat("f", 6)))
	office := Status{
		Ready: true, Thresholds: thresholds.Default(), Now: Time{now},
		Sources: []Source{{Name: "office", Provider: "ringcentral", Feeds: []Feed{unclear}}},
	}
	for name, test := range map[string]struct {
		status   Status
		level    Level
		text     string
		findings []string
	}{
		"no source": {
			Status{Ready: true, Thresholds: thresholds.Default(), Now: Time{now}},
			LevelUnknown,
			"Can't tell whether calls get through: no source is configured.", nil,
		},
		"no calls": {statusWith(reading()), LevelUnknown, "Can't tell whether calls get through: no calls yet.", nil},
		"first history": {
			firstHistory, LevelUnknown,
			"Can't tell whether calls get through yet: the first history of contoso/pstn is still being read.",
			[]string{"contoso pstn: can't tell; nothing has been read yet"},
		},
		"all is well": {
			statusWith(reading(trunk("sbc1.example.com", good), inbound, trunk("sbc2.example.com", "cccc"))), LevelOK,
			"Calls get through on all 2 trunks.", nil,
		},
		"one trunk, a few failures": {
			statusWith(reading(trunk("sbc1.example.com", "f"+good[:60]+"fcf"))), LevelOK,
			"Calls get through on the only trunk.", nil,
		},
		"one trunk down": {
			statusWith(reading(trunk("sbc2.example.com", good), failing("sbc1.example.com", bad, 79*time.Minute),
				inbound)), LevelBad,
			"Calls fail on 1 of 2 trunks.",
			[]string{"sbc1.example.com, outbound: 64 of the last 64 attempts failed, since 10:41 UTC; " +
				"certificate expired (569008); your SBC"},
		},
		"one trunk down, and who is affected": {
			statusWith(reading(berlins)), LevelBad, "Calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 64 of the last 64 attempts failed, since 10:41 UTC; " +
				"certificate expired (569008); your SBC; " +
				"63 of 64 failed attempts are of cost centre 4711, 63 of site Berlin"},
		},
		"just went down": {
			statusWith(reading(failing("sbc1.example.com", good[:57]+"fffffff", 9*time.Minute))), LevelBad,
			"Calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: the last 7 attempts failed, since 11:51 UTC; certificate " +
				"expired (569008); your SBC"},
		},
		"down but for one call that got through": {
			statusWith(reading(failing("sbc1.example.com", strings.Repeat("f", 60)+"cfff", 2*time.Minute))), LevelBad,
			"Calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 63 of the last 64 attempts failed, since 11:58 UTC; " +
				"certificate expired (569008); your SBC"},
		},
		"just mended": {
			statusWith(reading(trunk("sbc1.example.com", strings.Repeat("f", 48)+good[:16]))), LevelWarn,
			"Some calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 48 of the last 64 attempts failed, none of the newest 16; " +
				"no reason given; unclear whose fault"},
		},
		"mended": {
			statusWith(reading(trunk("sbc1.example.com", "fff"+good[:61]))), LevelOK,
			"Calls get through on the only trunk.", nil,
		},
		"more fail than the error budget allows, though few of the newest": {
			statusWith(reading(trunk("sbc1.example.com", strings.Repeat("fcc", 16)+"cccccccccccccccf"))), LevelWarn,
			"Some calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 17 of the last 64 attempts failed; no reason given; unclear " +
				"whose fault"},
		},
		"these were yesterday's": {
			statusWith(reading(yesterdays)), LevelOK, "Calls get through on the only trunk.",
			nil,
		},
		"one direction of a trunk burns the budget of both": {
			statusWith(reading(few, trunk("sbc1.example.com", "ffff"+strings.Repeat("c", 16)+"ff"+
				strings.Repeat("c", 14)))), LevelWarn, "Some calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 6 of the last 36 attempts failed; no reason given; unclear " +
				"whose fault"},
		},
		"hardly any connects": {
			statusWith(reading(trunk("sbc1.example.com", strings.Repeat("o", 56)+"cooooooo"))), LevelBad,
			"Calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 1 of the last 64 attempts connected; no reason given; users"},
		},
		"an error budget of one's own": {generous, LevelOK, "Calls get through on the only trunk.", nil},
		"all trunks down": {
			statusWith(reading(failing("sbc2.example.com", "fffffff", 9*time.Minute),
				failing("sbc1.example.com", bad, time.Hour))), LevelBad,
			"Calls fail on all 2 trunks.",
			[]string{
				"sbc1.example.com, outbound: 64 of the last 64 attempts failed, since 11:00 UTC; certificate " +
					"expired (569008); your SBC",
				"sbc2.example.com, outbound: 7 of the last 7 attempts failed, since 11:51 UTC; certificate " +
					"expired (569008); your SBC",
			},
		},
		"three faults at night": {
			statusWith(reading(failing("sbc1.example.com", "fff", 3*time.Hour))), LevelWarn,
			"Some calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 3 of the last 3 attempts failed, since 09:00 UTC; " +
				"certificate expired (569008); your SBC"},
		},
		"some fail": {
			statusWith(reading(failing("sbc1.example.com", good[:48]+strings.Repeat("cff", 5)+"c", time.Minute),
				trunk("sbc2.example.com", good))), LevelWarn,
			"Some calls fail on 1 of 2 trunks.",
			[]string{"sbc1.example.com, outbound: 10 of the last 16 attempts failed; certificate expired " +
				"(569008); your SBC"},
		},
		"every call is refused": {
			statusWith(reading(refused)), LevelBad, "Calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: none of the last 64 attempts connected, since 11:00 UTC; " +
				"outbound not allowed (510560); " +
				"your policy, licence or credit"},
		},
		"no trunk has a name": {
			office, LevelBad, "Calls fail on the only trunk.",
			[]string{"office call_log, outbound: 6 of the last 6 attempts failed, since 11:58 UTC; no reason " +
				"given; unclear whose fault"},
		},
		"too few to tell": {
			statusWith(reading(trunk("sbc1.example.com", "fo"))), LevelUnknown, "Can't tell whether calls get through.",
			[]string{"sbc1.example.com, outbound: can't tell, 0 of the last 2 attempts connected"},
		},
		"pstn connects": {
			statusWith(reading(operator("Colt", good))), LevelOK, "Calls get through on the only trunk.",
			nil,
		},
		"pstn connects nothing": {
			statusWith(reading(operator("Colt", good[:40]+strings.Repeat("o", 24)))), LevelBad,
			"Calls fail on the only trunk.",
			[]string{"Colt, outbound: none of the last 24 attempts connected, since 11:58 UTC; the provider " +
				"doesn't say why; unclear whose fault"},
		},
		"pstn connects little": {
			statusWith(reading(operator("Colt", good[:48]+"oooooooooooocooc"))), LevelUnknown,
			"Can't tell whether calls get through.",
			[]string{"Colt, outbound: can't tell, 2 of the last 16 attempts connected"},
		},
		"call records next to direct routing aren't a trunk": {
			statusWith(reading(trunk("sbc1.example.com", good)), reading(operator("", good))), LevelOK,
			"Calls get through on the only trunk.", nil,
		},
		"a trunk is quiet": {
			statusWith(reading(trunk("sbc1.example.com", good), quiet)), LevelOK,
			"Calls get through on 1 of 2 trunks; too few recent calls to tell of the rest.",
			[]string{"sbc3.example.com, outbound: can't tell, no call, since 28 Mar 06:00 UTC"},
		},
		"a feed fails": {
			statusWith(in(StateError, 70*time.Minute, "403 Forbidden", trunk("sbc1.example.com", good))), LevelUnknown,
			"Can't tell whether calls get through.",
			[]string{"contoso direct_routing: can't tell, since 10:50 UTC; 403 Forbidden"},
		},
		"a feed fails while a trunk is down": {
			statusWith(in(StateError, 70*time.Minute, "403 Forbidden",
				failing("sbc1.example.com", "fffff", 90*time.Minute))), LevelBad,
			"Calls fail on the only trunk.",
			[]string{
				"sbc1.example.com, outbound: 5 of the last 5 attempts failed, since 10:30 UTC (read up to " +
					"10:50 UTC); certificate expired (569008); your SBC",
				"contoso direct_routing: can't tell, since 10:50 UTC; 403 Forbidden",
			},
		},
		"a feed is behind": {
			statusWith(in(StateCatchingUp, 70*time.Minute, "", trunk("sbc1.example.com", good)),
				reading(trunk("sbc2.example.com", good))), LevelUnknown,
			"Calls get through on 1 of 2 trunks; not every feed is up to date.",
			[]string{"contoso direct_routing: can't tell, since 10:50 UTC; older calls are being read first"},
		},
		"throttled for a moment": {
			statusWith(in(StateThrottled, 2*time.Minute, "429", trunk("sbc1.example.com", good))), LevelOK,
			"Calls get through on the only trunk.", nil,
		},
		"throttled for long": {
			statusWith(in(StateThrottled, time.Hour, "429 Too Many Requests", trunk("sbc1.example.com", good))),
			LevelUnknown,
			"Can't tell whether calls get through.",
			[]string{"contoso direct_routing: can't tell, since 11:00 UTC; 429 Too Many Requests"},
		},
		"a snapshot says nothing of failures": {
			statusWith(reading(trunk("sbc1.example.com", good)),
				Feed{Feed: "active_calls", Snapshot: true, State: StateError}), LevelOK,
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
