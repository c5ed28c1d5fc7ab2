package simulator

import (
	"maps"
	"net/http"
	"strconv"
	"time"
)

// Answer is a response of the provider's as it should be.
type Answer struct {
	Status int
	// Type is application/json if empty.
	Type   string
	Header http.Header
	Body   []byte
	// Error makes the body of an error status, in the provider's form.
	Error func(status int) []byte
	// Now is the provider's time.
	Now time.Time
}

// htmlPage is what a gateway says.
const htmlPage = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Our services aren't available right now</h1></body></html>\n"

// Write answers a request with a fault, or as it should be. It handles the
// faults that any provider has; the provider's own it must have made part of the
// answer. For cut bodies and resets it panics with http.ErrAbortHandler, which
// net/http expects.
func (f *Faults) Write(w http.ResponseWriter, r *http.Request, fault Fault, a Answer) {
	maps.Copy(w.Header(), a.Header)
	if a.Type == "" {
		a.Type = "application/json"
	}
	w.Header().Set("Content-Type", a.Type)
	w.Header().Set("Date", f.dateOf(a.Now).UTC().Format(http.TimeFormat))
	switch fault {
	case Throttle:
		writeError(w, a, http.StatusTooManyRequests)
	case ThrottleSeconds:
		w.Header().Set("Retry-After", f.retrySeconds())
		writeError(w, a, http.StatusTooManyRequests)
	case ThrottleDate:
		// The header counts whole seconds: a part of one is rounded up.
		at := a.Now.Add(f.s.RetryAfter + time.Second - 1).UTC()
		w.Header().Set("Retry-After", at.Format(http.TimeFormat))
		writeError(w, a, http.StatusTooManyRequests)
	case UnavailableSeconds:
		w.Header().Set("Retry-After", f.retrySeconds())
		writeError(w, a, http.StatusServiceUnavailable)
	case InternalError, BadGateway, Unavailable, GatewayTimeout:
		status, _ := strconv.Atoi(string(fault))
		writeError(w, a, status)
	case EmptyError:
		w.WriteHeader(http.StatusInternalServerError)
	case HTMLBadGateway:
		writeHTML(w, http.StatusBadGateway)
	case HTMLOK:
		writeHTML(w, http.StatusOK)
	case CutLength, CutChunked:
		cut(w, fault, a)
	case Slow:
		dribble(w, r, a, f.s.SlowFor)
	case Reset:
		reset(r)
	default:
		writeBody(w, a.Status, f.poisoned(a))
	}
}

func (f *Faults) dateOf(now time.Time) time.Time {
	if f == nil {
		return now
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Add(f.date)
}

func (f *Faults) retrySeconds() string {
	return strconv.Itoa(int((f.s.RetryAfter + time.Second - 1) / time.Second))
}

func writeError(w http.ResponseWriter, a Answer, status int) {
	w.Header().Del("Content-Encoding")
	var body []byte
	if a.Error != nil {
		body = a.Error(status)
	}
	writeBody(w, status, body)
}

func writeHTML(w http.ResponseWriter, status int) {
	w.Header().Del("Content-Encoding")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	writeBody(w, status, []byte(htmlPage))
}

// writeBody sends a body whole. That the client is gone is its own affair.
func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// cut sends half of the body, and ends as if the sender had died.
func cut(w http.ResponseWriter, fault Fault, a Answer) {
	if fault == CutLength {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body[:len(a.Body)/2])
	flush(w)
	panic(http.ErrAbortHandler)
}

func flush(w http.ResponseWriter) {
	// Both of net/http's writers can flush.
	_ = http.NewResponseController(w).Flush()
}

// dribbles is how many parts a slow body comes in.
const dribbles = 20

// dribble sends the body in parts with pauses, as long as the client waits.
func dribble(w http.ResponseWriter, r *http.Request, a Answer, whole time.Duration) {
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	pause := time.NewTicker(max(1, whole/dribbles))
	defer pause.Stop()
	size := len(a.Body)/dribbles + 1
	for rest := a.Body; len(rest) > 0; {
		part := rest[:min(size, len(rest))]
		rest = rest[len(part):]
		if _, err := w.Write(part); err != nil {
			return
		}
		flush(w)
		select {
		case <-r.Context().Done():
			return
		case <-pause.C:
		}
	}
}

// StatusOf is the status that a fault is answered with, given that of the answer
// as it should be; 0 where there is none.
func StatusOf(f Fault, status int) int {
	switch f {
	case Throttle, ThrottleSeconds, ThrottleDate:
		return http.StatusTooManyRequests
	case UnavailableSeconds, Unavailable:
		return http.StatusServiceUnavailable
	case InternalError, EmptyError:
		return http.StatusInternalServerError
	case BadGateway, HTMLBadGateway:
		return http.StatusBadGateway
	case GatewayTimeout:
		return http.StatusGatewayTimeout
	case Reset:
		return 0
	default:
		return status
	}
}

// Delivers says whether an answer arrives whole in spite of a fault, if its status
// is one of success.
func Delivers(f Fault) bool {
	switch f {
	case HTMLOK, CutLength, CutChunked, Reset:
		return false
	default:
		return true
	}
}
