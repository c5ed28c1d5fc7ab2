// Package parts has what `tools/stack` and the end-to-end tests share about the real parts
// around the exporter: how Prometheus and Alertmanager are configured so that the shipped
// rules can be watched within a minute, and what their APIs say of alerts. It starts
// nothing.
package parts
