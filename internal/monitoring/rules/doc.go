// Package rules is the one source of the recording and alerting rules that we ship:
// what each KPI counts (codes.go), the thresholds of alerts (parameters.go), and the
// rules themselves. The files in dashboards/prometheus and the tables of docs/kpis.md
// and docs/alerts.md are written from it:
//
//	go test ./internal/monitoring/rules -run Generated -update
//
// Rules name metrics by the catalogue of internal/core/metrics, so a renamed metric changes
// the rules or doesn't compile. Tests compare every label with it. The
// binary writes rules with other parameters (cdr-exporter assets).
//
// Invariants: all rules work with classic and with native histograms: only the rules of waits in queues read one,
// of either kind (queues.go). No rule divides by zero. Every alert on calls waits until the feed is up to date
// (live.go).
package rules
