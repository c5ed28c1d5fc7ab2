// Package rules is the one source of the recording and alerting rules that we ship:
// what each KPI counts (codes.go), from where an alert fires (parameters.go), and the
// rules themselves. The files in dashboards/prometheus and the tables of docs/kpis.md
// and docs/alerts.md are written from it:
//
//	go test ./internal/monitoring/rules -run Generated -update
//
// Metrics are named through the catalogue of internal/core/metrics, so a metric that is
// renamed either goes along or doesn't compile; tests hold every label against it. The
// binary writes rules with other parameters (cdr-exporter assets).
//
// Invariants: all rules work with classic and with native ingestion of histograms: none reads one, but those of
// waits in queues, which read either kind (queues.go); no rule divides by zero; every alert that is about calls
// waits for a feed that is read up to now (live.go).
package rules
