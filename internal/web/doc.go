// Package web is the HTTP surface of the metrics port: the status page, its JSON,
// health, readiness, reload, and the metrics that it is handed.
//
// Serve serves it, and with tighter bounds the listener for providers' notifications,
// which strangers reach and of which it knows no more.
//
// It knows no other part of the program: a Backend gives it plain data. Errors
// and advice are shown as given, so they must come redacted; nothing of a request
// is ever shown, and of its query only what the page itself offers is taken.
//
// The page is whole without its script: the table, the filter and the charts are the
// server's. Charts are drawn by github.com/go-analyze/charts in marker colours, taken
// apart into shapes with classes, and written by the template, which escapes them. The
// script asks for the same page again and takes over what has changed. Neither refers to
// anything outside, and the Content-Security-Policy allows nothing but the page's own files.
//
// When things fail: a page that can't be rendered is answered with 500 and
// logged; charts whose figures can't be read are left out, which the page says; a
// listener that fails stops all of them, and Serve says why.
package web
