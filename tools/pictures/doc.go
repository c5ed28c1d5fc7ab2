// Pictures makes the pictures of README and docs: of the status page of the demo, and of
// what the dashboards show of it. Run it from the repository's root: `make pictures`.
//
// It starts the demo and a Prometheus that scrapes it, waits some minutes, and has
// Chromium take the pictures. There is no Grafana: a page of its own draws each panel
// from the dashboard's definition and asks Prometheus the panel's own queries, and says
// so. It knows what our dashboards use and no more; anything else is an error. Calls,
// which asks Loki, is left out.
package main
