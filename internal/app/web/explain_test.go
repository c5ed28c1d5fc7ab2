package web_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/explain"
	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// commands are the commands of a page that list the calls of a figure.
func commands(t *testing.T, body string) (all []string) {
	eachElement(t, body, func(node *html.Node) {
		if text := textOf(node); node.Data == "code" && strings.HasPrefix(text, "cdr-exporter explain ") {
			all = append(all, text)
		}
	})
	return all
}

// TestExplainCommands: each figure of failed calls has the command that lists them, from the first call that it counts.
func TestExplainCommands(t *testing.T) {
	failing := stories.Failing("sbc1.example.com", strings.Repeat("c", 52)+strings.Repeat("f", 12), time.Minute)
	feed := stories.Reading(failing, stories.Trunk("it's", stories.Good[:60]+"f"))
	overlapping := web.Feed{Feed: "call_records", State: web.StateOK, Overlaps: true}
	backend := stories.Account(feed, overlapping)
	alone := web.Feed{Feed: "call_records", State: web.StateOK}
	backend.Shown.Sources = append(backend.Shown.Sources, web.Source{Name: "alone", Feeds: []web.Feed{alone}})
	backend.Shown.ConfigFile = "/etc/cdr.yaml"
	backend.OnActivity = stories.RisingActivity
	body, _ := statusPage(t, backend)
	got := commands(t, body)
	for _, want := range []string{
		`'cdr_call_failures_total{source="contoso",feed="direct_routing",trunk="sbc1.example.com",` +
			`direction="outbound",outcome="failed"}' --from 2026-03-29T`,
		`'cdr_call_failures_total{source="contoso",feed="direct_routing",trunk="it'\''s",direction="outbound",` +
			`outcome="failed"}' --from 2026-03-29T`,
		`'cdr_calls_total{feed!~"call_records"}' --from 2026-03-28T12:15:00Z`,
		`'cdr_calls_total{source="alone",feed="call_records"}' --from 2026-03-28T12:15:00Z`,
		`'cdr_call_failures_total{outcome="failed",feed!~"call_records"}' --from 2026-03-28T12:15:00Z`,
		`'cdr_call_failures_total{outcome="failed",feed!~"call_records"}' --from 2026-03-29T`,
	} {
		want = "cdr-exporter explain --config.file /etc/cdr.yaml " + want
		if !slices.ContainsFunc(got, func(command string) bool { return strings.HasPrefix(command, want) }) {
			t.Errorf("the page lacks %s, it has:\n%s", want, strings.Join(got, "\n"))
		}
	}
	for _, s := range stories.All() {
		body, _ := statusPage(t, s.Backend)
		for _, command := range commands(t, body) {
			quoted := command[strings.Index(command, "'")+1 : strings.LastIndex(command, "'")] // as a shell reads it
			if _, err := explain.Parse(strings.ReplaceAll(quoted, `'\''`, `'`), nil); err != nil {
				t.Errorf("%s: %s: %v", s.Name, command, err)
			}
		}
	}
}
