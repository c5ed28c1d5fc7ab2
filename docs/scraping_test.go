package docs_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

// TestRelabellingOfReplicas: the scrape configuration for replicas and the chart give all series
// that come from records one instance, and no other: several replicas show those at once.
func TestRelabellingOfReplicas(t *testing.T) {
	pattern := regexp.MustCompile(`regex: (cdr_\(.*)\n`)
	var found []string
	for _, path := range []string{"prometheus.md", "../deploy/helm/cdr-exporter/templates/servicemonitor.yaml"} {
		text := golden.Read(t, path)
		for _, match := range pattern.FindAllStringSubmatch(text, -1) {
			found = append(found, match[1])
		}
	}
	if len(found) != 2 || found[0] != found[1] {
		t.Fatalf("found %q, want the same expression twice", found)
	}
	relabelled := regexp.MustCompile("^(?:" + found[0] + ")$")
	for _, d := range slices.Concat(metrics.Catalogue(), metrics.SelfCatalogue()) {
		if got, want := relabelled.MatchString(d.Name), d.Base == metrics.RecordBase; got != want {
			t.Errorf("%s gets the instance of all replicas: %t, want %t", d.Name, got, want)
		}
	}
	if relabelled.MatchString("cdr_exporter_build_info") {
		t.Error("cdr_exporter_build_info gets the instance of all replicas")
	}
}
