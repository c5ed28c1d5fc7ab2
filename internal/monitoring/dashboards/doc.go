// Package dashboards is the readable source of the Grafana dashboards in
// dashboards/grafana: a test compares those files with what this package builds,
// and with -update writes them.
//
// Every query names its metric by the definition in internal/core/metrics, and every
// label is held against that definition when a dashboard is built, so that a metric
// or a label can't be renamed there and be forgotten here. A metric's unit and how
// its series are added up are said once, in measure.go; what it takes to be right
// whichever way histograms are ingested is in query.go.
//
// The queries use the metrics of /metrics as they are, never recorded series, so the
// dashboards work without the rules. The package isn't linked into the binary.
package dashboards
