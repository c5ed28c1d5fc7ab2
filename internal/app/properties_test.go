package app

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// tel is a provider whose call_log has ten calls that didn't connect, and gives reasons or none.
type tel struct {
	name    string
	reasons bool
	at      time.Time // of its calls
}

// Pages implements collector.RangeReader.
func (p tel) Pages(context.Context, time.Time, time.Time) iter.Seq2[*collector.Page, error] {
	return func(yield func(*collector.Page, error) bool) {
		page := &collector.Page{}
		for n := range 10 {
			r := &cdr.Record{
				ID: fmt.Sprint(n), Start: p.at, Trunk: "line", Direction: cdr.Outbound,
				Outcome: cdr.NotConnected,
			}
			if p.reasons {
				r.Outcome = cdr.Failed
			}
			page.Records = append(page.Records, r)
		}
		yield(page, nil)
	}
}

func (p tel) provider() collector.Provider {
	return collector.NewProvider(p.name, func(c *acmeConfig, _ collector.SourceSettings) (*collector.Source, error) {
		return &collector.Source{
			Feeds: []collector.FeedInfo{{
				Name: "call_log", Reader: p, Limits: collector.Limits{MaxRange: 24 * time.Hour},
				Interval: c.CallLog.Interval, Lookback: c.CallLog.Lookback,
				LateAfter: c.CallLog.LateAfter, Fingerprint: p.name,
			}},
			Advise:         func(err error) (what, todo string) { return err.Error(), "wait" },
			Offset:         func() (time.Duration, bool) { return 0, true },
			ThrottledUntil: func() time.Time { return time.Time{} },
		}, nil
	}, collector.FeedProperties{Name: "call_log", Reasons: p.reasons})
}

// TestPropertiesByProvider: feeds of one name show what their own provider declares: metrics and
// page, and the rules for the configuration.
func TestPropertiesByProvider(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := "storage: {path: data}\nmetrics: {zero_for: 0s}\nsources:\n  - name: mute\n    silent: {call_log: " +
		"}\n  - name: office\n    telling: {call_log: }\n"
	writeFile(t, file, text)
	at := time.Now().Add(-time.Minute)
	known := []collector.Provider{tel{"silent", false, at}.provider(), tel{"telling", true, at}.provider()}
	a := start(t, file, known...)
	for _, source := range []string{`provider="silent",source="mute"`, `provider="telling",source="office"`} {
		until(t, a, `cdr_recent_attempts{direction="outbound",feed="call_log",`+source+`,trunk="line"} 10`)
	}
	_, body := ask(t, a, http.MethodGet, "/metrics")
	if strings.Contains(body, `cdr_recent_faults{direction="outbound",feed="call_log",provider="silent"`) ||
		!strings.Contains(body, `cdr_recent_faults{direction="outbound",feed="call_log",provider="telling",`+
			`source="office",trunk="line"} 10`) {
		t.Errorf("the faults of the last attempts:\n%s", body)
	}
	for _, s := range a.Status().Sources {
		if trunks := s.Feeds[0].Trunks; len(trunks) != 1 || trunks[0].NoReasons != (s.Name == "mute") {
			t.Errorf("%s: %+v", s.Name, trunks)
		}
	}
	c, err := config.Load(file, ConfigOptions(known))
	require.NoError(t, err)
	p := rules.Default()
	p.Feeds = rules.Configured(c, known)
	written, err := p.RecordingFile()
	if err != nil || !strings.Contains(string(written),
		`rate(cdr_calls_total{feed="call_log",late="false",outcome=~"failed",source="office"}[5m])`) ||
		!strings.Contains(string(written), `:cdr_answered:rate5m{feed="call_log",source="mute"}`) {
		t.Errorf("%v\n%s", err, written)
	}
}

// TestRulesFile: the page judges by the thresholds of rules_file; one that is wrong is refused with
// its line, and changes nothing. check_config.txtar has one that is wrong at the start.
func TestRulesFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(text string) { writeFile(t, filepath.Join(folder, "rules.yaml"), text) }
	budget := func(a *App) float64 {
		limits := a.Status().Thresholds
		return limits.ErrorBudget
	}
	provider := &acme{t: t}
	file := provider.write(folder, "call_log: ", "rules_file: rules.yaml\n")
	write("error_budget: 0.03\n")
	a := start(t, file, provider.provider())
	if got := budget(a); got != 0.03 {
		t.Errorf("the budget is %v", got)
	}
	write("error_budget: 3\n")
	if err := a.Reload(); err == nil || !strings.Contains(err.Error(),
		"rules.yaml:1: error_budget: must be above 0 and at most 1") || budget(a) != 0.03 {
		t.Errorf("the reload: %v, the budget is %v", err, budget(a))
	}
	write("error_budget: 0.05\n")
	if err := a.Reload(); err != nil || budget(a) != 0.05 {
		t.Errorf("the reload: %v, the budget is %v", err, budget(a))
	}
}
