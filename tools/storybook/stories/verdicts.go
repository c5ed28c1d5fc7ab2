package stories

import (
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// verdicts has a story for each verdict.
func verdicts() []Story {
	inbound := Trunk("sbc1.example.com", Good)
	inbound.Direction = cdr.Inbound
	berlins := Failing("sbc1.example.com", Bad, 79*time.Minute)
	berlins.Labels = cdr.NewLabels([]cdr.Label{{Name: "cost_centre", Value: "4711"}, {Name: "site", Value: "Berlin"}})
	refused := Trunk("sbc1.example.com", strings.Repeat("o", 64))
	refused.Since, refused.Labels = time.Hour, berlins.Labels
	refused.Other = cdr.Record{
		Outcome: cdr.NotAllowed, SIPCode: cdr.KnownInt(403), SubCode: cdr.KnownInt(510560),
		Reason: "outbound_not_allowed", FaultDomain: cdr.FaultPolicy,
	}
	quiet := Trunk("sbc3.example.com", Good)
	quiet.Newest = 30 * time.Hour
	fraud := Reading(Trunk("sbc1.example.com", Good))
	fraud.PremiumCalls = append(burst("LV", "premium", "17", "17", "17", "h:3f9a", "h:3f9a", "h:77c0", "21", ""),
		burst("", "satellite", "17", "17", "17", "17", "17")...)
	firstHistory := Account(web.Feed{Feed: "pstn", State: web.StateCatchingUp})
	firstHistory.NotReady, firstHistory.OnActivity = "the first history of contoso/pstn is still being read", nil
	noCalls := Account(Reading())
	noCalls.OnActivity = nil
	down := Account(Reading(Trunk("sbc2.example.com", Good), berlins, inbound))
	down.OnActivity = RisingActivity
	return []Story{
		{
			"calls-get-through", "Everything works, with a failure now and then.",
			Account(Reading(Trunk("sbc1.example.com", "f"+Good[:60]+"fcf"), inbound,
				Trunk("sbc2.example.com", "cccc"))),
		},
		{"no-source", "No source is configured.", NoSource()},
		{"no-calls", "Everything was read, but nobody called.", noCalls},
		{"first-history", "It isn't ready: the first history is being read.", firstHistory},
		{"trunk-down", "All calls of one trunk fail, and labels say whose they are.", down},
		{
			"just-went-down", "A trunk began to fail minutes ago.",
			Account(Reading(Failing("sbc1.example.com", Good[:57]+"fffffff", 9*time.Minute))),
		},
		{
			"all-trunks-down", "All trunks fail, each for another reason.",
			Account(Reading(Failing("sbc1.example.com", Bad, time.Hour),
				Trunk("sbc2.example.com", Bad).Because(503, "no_route", cdr.FaultCarrier),
				Trunk("sbc3.example.com", Bad).Because(500, "internal_error", cdr.FaultProvider))),
		},
		{"refused", "Every call is refused, and labels say whose they are.", Account(Reading(refused))},
		{
			"hardly-any-connects", "One of 64 attempts connected.",
			Account(Reading(Trunk("sbc1.example.com", strings.Repeat("o", 56)+"cooooooo"))),
		},
		{
			"some-fail", "Some calls fail on one of two trunks, for a known reason.",
			Account(Reading(Failing("sbc1.example.com", Good[:48]+strings.Repeat("cff", 5)+"c", time.Minute),
				Trunk("sbc2.example.com", Good))),
		},
		{
			"some-fail-without-reason", "Some calls fail, and the records don't say why.",
			Account(Reading(Trunk("sbc1.example.com", strings.Repeat("fcc", 16)+"cccccccccccccccf"))),
		},
		{
			"just-mended", "A trunk works again after an outage.",
			Account(Reading(Trunk("sbc1.example.com", strings.Repeat("f", 48)+Good[:16]))),
		},
		{
			"too-few-calls", "Two attempts are too few to tell.",
			Account(Reading(Trunk("sbc1.example.com", "fo"))),
		},
		{
			"quiet-trunk", "One of two trunks had no call for more than a day.",
			Account(Reading(Trunk("sbc1.example.com", Good), quiet)),
		},
		{
			"no-reasons", "The provider never says why a call didn't connect.",
			Account(Reading(Operator("Colt", Good[:40]+strings.Repeat("o", 24)),
				Operator("Telia", Good[:48]+"oooooooooooocooc"), Operator("Orange", Good))),
		},
		{"toll-fraud", "Accounts call premium numbers and satellite telephones.", Account(fraud)},
	}
}

// NoSource has no source; it isn't ready.
func NoSource() *Backend {
	return &Backend{
		Shown:    web.Status{Sources: []web.Source{}, OTLP: web.OTLP{State: web.OTLPOff}},
		NotReady: "the other replicas don't know this one yet",
	}
}

// burst are calls to a country, one of each account, read a minute ago.
func burst(country, class string, accounts ...string) (all []metrics.PremiumCall) {
	for i, account := range accounts {
		all = append(all, metrics.PremiumCall{
			Read: Now.Add(-time.Minute), Start: Now.Add(-time.Duration(i+2) * time.Minute),
			Country: country, Class: class, Account: account,
		})
	}
	return all
}
