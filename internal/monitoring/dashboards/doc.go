// Package dashboards is the source of the Grafana dashboards in
// dashboards/grafana: a test compares those files with what this package builds,
// and with -update writes them.
//
// Every query names its metric by the definition in internal/core/metrics. Building a
// dashboard checks every label against that definition. So a metric or a label can't be
// renamed there and forgotten here. measure.go says, once for each metric, its unit and
// how its series are added up. query.go makes queries work with classic and native
// histograms.
//
// The queries use the metrics of /metrics as they are, never recorded series, so the
// dashboards work without the rules. `assets --config.file` writes them for a configuration.
package dashboards
