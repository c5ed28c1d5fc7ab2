package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/incident"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// addCalls adds an attempt a minute from noon on, in letters: answered, busy, failed, misdialled, unknown.
func addCalls(f *incident.Finder, source, feed, letters string, like cdr.Record) {
	from := &history.Feed{Source: source, Info: &collector.FeedInfo{
		Name: feed, Properties: collector.FeedProperties{Reasons: like.Outcome != cdr.NotConnected},
	}}
	for i, letter := range letters {
		r := like
		r.ID, r.CallID = fmt.Sprintf("id-%02d", i), fmt.Sprintf("call-%02d", i)
		r.Start, r.CallerNumber, r.CalleeNumber = noon.Add(time.Duration(i)*time.Minute), "+49301234567", "+49894567890"
		switch letter {
		case 'a':
			r.Outcome = cdr.Answered
		case 'b':
			r.Outcome = cdr.Busy
		case 'u':
			r.Outcome = cdr.Unknown
		case 'm':
			r.Outcome, r.Reason, r.FaultDomain = cdr.InvalidNumber, "number_not_found", cdr.FaultUnknown
			r.SIPCode, r.SubCode = cdr.KnownInt(404), cdr.KnownInt(560404)
		}
		if letter == 'f' && i == 4 && like.Outcome == cdr.Failed {
			r.Extra = []cdr.Attr{{Key: "sip_call_id", Str: "4711@sbc1"}}
		}
		f.Add(from, &facts.Fact{Kind: facts.Attempt, Record: &r})
	}
}

// TestIncidentOutput compares a report in each form with its golden.
func TestIncidentOutput(t *testing.T) {
	expired := cdr.Record{
		Trunk: "sbc1.contoso.com", Direction: cdr.Outbound, Outcome: cdr.Failed, SIPCode: cdr.KnownInt(503),
		SubCode: cdr.KnownInt(569008), Reason: "certificate_expired", FaultDomain: cdr.FaultSBC,
	}
	for name, tc := range map[string]struct {
		trunk, numbers string
		meanwhile      bool
	}{
		"incident":      {"sbc1.contoso.com", "keep", true},
		"incident_pstn": {"operator", "", false},
		"incident_none": {"sbc2.contoso.com", "", true},
	} {
		finder := incident.New(incident.Settings{
			Trunk: tc.trunk, Meanwhile: tc.meanwhile, Redactor: cdr.NewRedactor(cdr.DefaultPolicy(), nil),
		})
		addCalls(finder, "contoso", "direct_routing", "mafaffmfa", expired)
		addCalls(finder, "contoso", "direct_routing", "mbaaau",
			cdr.Record{Trunk: "sbc1.contoso.com", Direction: cdr.Inbound})
		addCalls(finder, "contoso", "pstn", "afaff",
			cdr.Record{Trunk: "operator", Direction: cdr.Inbound, Outcome: cdr.NotConnected})
		addCalls(finder, "acme", "call_log", "aaaaaaaa", cdr.Record{Direction: cdr.Inbound})
		if name == "incident_none" {
			addCalls(finder, "contoso", "direct_routing", "a", cdr.Record{Trunk: tc.trunk, Direction: cdr.Inbound})
		}
		report, err := finder.Report(noon, noon.Add(time.Hour))
		require.NoError(t, err)
		if tc.numbers != "" {
			report.Numbers = tc.numbers
		}
		for output, ending := range map[string]string{"text": "txt", "json": "json", "csv": "csv"} {
			t.Run(name+" "+output, func(t *testing.T) {
				var got bytes.Buffer
				require.NoError(t, printIncident(report, output, &got))
				golden.File(t, filepath.Join("testdata", "incident", name+"."+ending), got.Bytes())
			})
		}
	}
}
