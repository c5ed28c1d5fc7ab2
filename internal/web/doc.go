// Package web serves the metrics port: the status page and its JSON, health,
// readiness, reload, and the metrics handler that it is given. Serve also serves the
// public listener for providers' notifications, with tighter limits.
//
// A Backend gives it plain data. Errors and advice are shown as given, so they must
// arrive redacted. Nothing of a request is ever shown; a query only chooses among the
// values that the page offers.
//
// The page works without its script: the server renders the table, the filters and the
// charts (bars are <rect>s of the template). The script fetches the same page every few
// seconds and takes over what has changed. The Content-Security-Policy allows nothing
// but the page's own files.
//
// A page that can't be rendered is answered with 500 and logged. Without the activity
// the page says that the charts are missing. A listener that fails stops Serve.
package web
