package web

import (
	"io"
	"net/http"
	"slices"
	"strings"
)

// router serves exact paths. Unlike http.ServeMux it never redirects, and a path is
// taken literally, braces included.
type router map[string]route

// route is the handler of a path and the methods that it accepts.
type route struct {
	handler http.Handler
	methods []string
}

// read is a route for GET and HEAD.
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

// setHeaders sets the headers of every answer, unless the web configuration file
// has set them.
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

// answer writes text. Errors of the connection are ignored.
func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n")
}
