// Package web serves the metrics port: the status page and its JSON, health,
// readiness, reload, and the metrics handler that it is given. Serve also serves the
// public listener for providers' notifications, with tighter limits.
//
// A Backend gives it plain data. Errors and advice are shown as given, so they must
// arrive redacted. Nothing of a request is ever shown.
//
// The verdict (verdict.go) is made of the last attempts of each trunk and the state of
// each feed: what isn't known is never shown as well.
//
// The page works without its script: the server renders all of it, with times in UTC.
// The script fetches the same page every few seconds, takes over what has changed and
// puts local times beside UTC. The Content-Security-Policy allows nothing but the page's
// own files.
//
// A page that can't be rendered is answered with 500 and logged. Without the activity
// the page says that the chart is missing. A listener that fails stops Serve.
package web
