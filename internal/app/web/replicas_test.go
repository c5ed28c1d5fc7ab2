package web_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// A page shows which replica reads what, and judges only what it knows.
func TestReplicasOnThePage(t *testing.T) {
	backend := storyOf(t, "read-elsewhere")
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
	body, _ = statusPage(t, storyOf(t, "unowned"))
	if !strings.Contains(body, "contoso pstn</bdi></strong>: can&#39;t tell") ||
		!strings.Contains(body, "not read") {
		t.Error("no finding for a feed that nobody reads")
	}
	if body, _ = statusPage(t, stories.Everything()); strings.Contains(body, "Replicas") {
		t.Error("a ledger that isn't shared has replicas")
	}
}
