package web_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// A page shows which replica reads what. TestVerdictOfEachStory has what it judges.
func TestReplicasOnThePage(t *testing.T) {
	body, _ := statusPage(t, storyOf(t, "read-elsewhere"))
	for _, want := range []string{
		`<a href="http://10.0.0.7:9887/">cdr-0</a>: 2 feeds`, `cdr-1 (this one): 0 feeds`, `read elsewhere`, `1,234`,
		`by <a href="http://10.0.0.7:9887/">cdr-0</a>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "javascript:") || strings.Contains(body, "10.0.0.8") {
		t.Error("the page links to an address that isn't a page, or to itself")
	}
	if body, _ = statusPage(t, stories.Everything()); strings.Contains(body, "Replicas") {
		t.Error("a ledger that isn't shared has replicas")
	}
}
