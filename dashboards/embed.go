// Package dashboards holds the files that are shipped with the binary: Grafana dashboards,
// Prometheus's recording and alerting rules, and an example for Alertmanager. The
// files are made from internal/dashboards and internal/rules, where tests hold them
// against their sources; nothing here is written by hand.
package dashboards

import "embed"

// Files are the bundled files, by folder: grafana, prometheus, alertmanager.
//
//go:embed grafana/*.json prometheus/*.yaml alertmanager/*.yaml
var Files embed.FS
