package simulator

import (
	"maps"
	"net/http"
	"strconv"
	"time"
)

// Answer is a provider's response before any fault.
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

// htmlPage is a gateway's error page.
const htmlPage = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Our services aren't available right now</h1></body></html>\n"

// Write answers a request with a fault that any provider has, or as planned: the provider's own faults must be part of the answer. For cut
// bodies and resets it panics with http.ErrAbortHandler, which net/http expects.
func (f *Faults) Write(w http.ResponseWriter, r *http.Request, fault Fault, a Answer) {
	h := w.Header()
	maps.Copy(h, a.Header)
	h.Set("Date", a.Now.UTC().Format(http.TimeFormat))
	h.Set("Content-Type", a.Type)
	if a.Type == "" {
		h.Set("Content-Type", "application/json")
	}
	a.Status = statusOf(fault, a.Status)
	switch fault {
	case CutLength, CutChunked:
		cut(w, fault, a)
	case Reset:
		reset(r)
	case Slow:
		dribble(w, r, a, f.s.SlowFor)
		return
	case HTMLBadGateway, HTMLOK:
		h.Del("Content-Encoding")
		h.Set("Content-Type", "text/html; charset=utf-8")
		a.Body = []byte(htmlPage)
	default:
		if !isTransport(fault) {
			a.Body = f.rewritten(a)
			break
		}
		h.Del("Content-Encoding")
		f.setRetryAfter(h, fault, a.Now)
		if a.Body = nil; fault != EmptyError && a.Error != nil {
			a.Body = a.Error(a.Status)
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}

// setRetryAfter sets Retry-After for the faults that have it. The header counts whole seconds: a part of one is rounded up.
func (f *Faults) setRetryAfter(h http.Header, fault Fault, now time.Time) {
	wait := f.s.RetryAfter + time.Second - 1
	switch fault {
	case ThrottleSeconds, UnavailableSeconds:
		h.Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
	case ThrottleDate:
		h.Set("Retry-After", now.Add(wait).UTC().Format(http.TimeFormat))
	default:
	}
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
