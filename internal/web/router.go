package web

import (
	"io"
	"net/http"
	"slices"
	"strings"
)

// router serves exact paths. Unlike http.ServeMux it redirects nothing and takes
// any configured path as it is, braces and all.
type router map[string]route

// route is what answers one path, and which methods it takes.
type route struct {
	handler http.Handler
	methods []string
}

// read is a route that changes nothing.
func read(handler http.Handler) route {
	return route{handler: handler, methods: []string{http.MethodGet, http.MethodHead}}
}

// ServeHTTP implements http.Handler.
func (r router) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	setHeaders(w.Header())
	route, known := r[request.URL.Path]
	switch {
	case !known:
		answer(w, http.StatusNotFound, "Not found.")
	case !slices.Contains(route.methods, request.Method):
		w.Header().Set("Allow", strings.Join(route.methods, ", "))
		answer(w, http.StatusMethodNotAllowed, "Method not allowed.")
	default:
		route.handler.ServeHTTP(w, request)
	}
}

// setHeaders sets what every answer carries, except what the web configuration
// file has already set.
func setHeaders(header http.Header) {
	setDefault(header, "X-Content-Type-Options", "nosniff")
	setDefault(header, "Referrer-Policy", "no-referrer")
	setDefault(header, "Cache-Control", "no-store")
}

func setDefault(header http.Header, name, value string) {
	if header.Get(name) == "" {
		header.Set(name, value)
	}
}

// answer writes one line or more of text. Whether the client still listens makes
// no difference.
func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n")
}
