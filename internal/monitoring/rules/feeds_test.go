package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// TestFeedNames: rules for all providers select by the names of feeds alone, since no source is known.
// A name has a property only if all feeds of that name have it.
func TestFeedNames(t *testing.T) {
	for _, of := range []property{reasonFeeds, shareFeeds, sipFeeds, streamFeeds, additiveFeeds} {
		for _, want := range []bool{true, false} {
			if got := Default().matchers(of, want); len(got) != 1 {
				t.Errorf("%s: %q", of, got)
			}
		}
	}
	p := &Parameters{Feeds: []Feed{{"", collector.FeedProperties{Name: "cdr", SIPCodes: true}}, {
		"",
		collector.FeedProperties{Name: "cdr"},
	}, {"", collector.FeedProperties{Name: "acc", SIPCodes: true}}}}
	if got := p.matchers(sipFeeds, true); !slices.Equal(got, []string{`feed="acc"`}) {
		t.Errorf("selected by %q", got)
	}
}

// TestResolve: an expression selects the feeds that are configured, and those of one name by their source where
// they differ.
func TestResolve(t *testing.T) {
	log := func(source string, reasons bool) Feed {
		return Feed{source, collector.FeedProperties{Name: "call_log", Reasons: reasons}}
	}
	own := Feed{"tel", collector.FeedProperties{Name: "own", Reasons: true}}
	for _, c := range []struct {
		name       string
		feeds      []Feed
		expr, want string
	}{
		{
			"one",
			[]Feed{log("office", true)},
			`sum by (source) (rate(cdr_calls_total{feed=~"<reasons>",late="false"}[5m]))`,
			`sum by (source) (rate(cdr_calls_total{feed="call_log",late="false"}[5m]))`,
		},
		{
			"two names",
			[]Feed{log("office", true), own},
			`a{feed=~"<reasons>"} / b{feed!~"<reasons>"}`,
			`a{feed=~"call_log|own"} / b{feed!~"call_log|own"}`,
		},
		{"none", []Feed{log("tel", false)}, `a{feed=~"<reasons>"} / b{feed!~"<reasons>"}`, `a{feed=""} / b{feed!=""}`},
		{
			"one name, two kinds",
			[]Feed{log("office", true), log("wave", true), log("tel", false), own},
			`sum (rate(a{feed=~"<reasons>",late="false"}[5m])) / b{feed!~"<reasons>"}`,
			`sum((rate(a{feed="own",late="false"}[5m]) or ` +
				`rate(a{feed="call_log",late="false",source=~"office|wave"}[5m])))` +
				` / (b{feed!~"own|call_log"} or b{feed="call_log",source="tel"})`,
		},
		{
			"a window that was",
			[]Feed{log("office", true), log("tel", false)},
			`max by (source) (max_over_time(a{feed=~"<share>"}[5m] offset 2h))`,
			`max by (source) (max_over_time(a{feed="call_log",source="tel"}[5m] offset 2h))`,
		},
	} {
		p := &Parameters{Feeds: c.feeds}
		if got := p.adapt(c.expr).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	p := Default()
	p.Feeds = []Feed{log("office", true), log("tel", false), own}
	for _, produce := range []func() ([]byte, error){p.RecordingFile, p.AlertsFile} {
		if text, err := produce(); err != nil || strings.Contains(string(text), `"<`) {
			t.Errorf("%v\n%s", err, text)
		}
	}
}
