// Package parts has what `tools/stack` and the end-to-end tests share about the real programs
// around the exporter: configurations of Prometheus and Alertmanager that show the shipped rules'
// alerts within a minute, and their APIs for alerts. It starts nothing.
package parts
