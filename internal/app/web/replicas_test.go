package web

import (
	"strings"
	"testing"
	"time"
)

// A page shows which replica reads what, and judges only what it knows.
func TestReplicasOnThePage(t *testing.T) {
	backend := &fakeBackend{status: Status{
		OTLP: OTLP{State: OTLPOff},
		Replicas: []Replica{
			{Name: "cdr-0", Address: "http://10.0.0.7:9887/", Started: ago(time.Hour), Feeds: 2},
			{Name: "cdr-1", Address: "http://10.0.0.8:9887/", Started: ago(time.Minute), Self: true},
			{Name: "cdr-2", Address: "javascript:alert()", Started: ago(time.Minute)},
		},
		Sources: []Source{{Name: "contoso", Provider: "msgraph", Feeds: []Feed{
			{Feed: "pstn", State: StateElsewhere, ReadBy: "cdr-0", Watermark: ago(time.Minute), Records: 1234},
		}}},
	}}
	body, _ := statusPage(t, backend)
	for _, want := range []string{
		`<a href="http://10.0.0.7:9887/">cdr-0</a>: 2 feeds`, `cdr-1 (this one): 0 feeds`, `read elsewhere`, `1,234`,
		`by <a href="http://10.0.0.7:9887/">cdr-0</a>`,
		"Can&#39;t tell whether calls get through from here: see the other replicas.",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "javascript:") || strings.Contains(body, "10.0.0.8") {
		t.Error("the page links to an address that isn't a page, or to itself")
	}
	backend.status.Sources[0].Feeds[0] = Feed{
		Feed: "pstn", State: StateUnowned, Watermark: ago(time.Minute),
		LastError: "no replica reads the feed",
	}
	if body, _ = statusPage(t, backend); !strings.Contains(body, "contoso pstn</strong>: can&#39;t tell") ||
		!strings.Contains(body, "not read") {
		t.Error("no finding for a feed that nobody reads")
	}
	if body, _ = statusPage(t, exampleBackend()); strings.Contains(body, "Replicas") {
		t.Error("a ledger that isn't shared has replicas")
	}
}
