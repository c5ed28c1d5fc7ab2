// Package web is the HTTP surface of the metrics port: the status page, its JSON,
// health, readiness, reload, and the metrics that it is handed.
//
// It knows no other part of the program: a Backend gives it plain data. Errors
// and advice are shown as given, so they must come redacted; nothing of a request
// is ever shown. The page refers to nothing outside itself, runs only the script
// and the style that its Content-Security-Policy names by hash, and its table is
// whole without the script.
//
// When things fail: a page that can't be rendered is answered with 500 and
// logged; a listener that fails stops all of them, and Serve says why.
package web
