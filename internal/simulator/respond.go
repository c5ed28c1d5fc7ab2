package simulator

import (
	"cmp"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// Reply is the answer to a request before any fault, and what the request asked for.
type Reply struct {
	Status int
	// Type is application/json if empty.
	Type   string
	Header http.Header
	Body   []byte
	// Error makes the body of an error status, in the provider's form.
	Error func(status int) []byte
	// From and To are the range that was asked for, if any; Continued says that it was for a further page.
	From, To  time.Time
	Continued bool
	// Refused requests meet no faults.
	Refused bool
	// Gzip compresses the body for clients that accept it.
	Gzip bool
	// Own are the provider's own faults that can happen to this request, and how each changes the reply.
	Own map[Fault]func(*Reply)
	// Do does what the request asks for, unless a fault refuses it; nil for a request that changes nothing.
	Do func(*Reply)
}

// Instead is a fault that replaces a reply.
func Instead(refused Reply) func(*Reply) {
	return func(r *Reply) { *r = refused }
}

const htmlPage = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Our services aren't available right now</h1></body></html>\n"

// write sends a reply with a fault that any provider has, or as planned: the provider's own faults are part of the reply. For cut bodies and
// resets it panics with http.ErrAbortHandler, which net/http expects.
func (h *Host) write(w http.ResponseWriter, r *http.Request, fault Fault, a Reply) {
	header, now := w.Header(), h.Now()
	maps.Copy(header, a.Header)
	header.Set("Date", now.Format(http.TimeFormat))
	header.Set("Content-Type", cmp.Or(a.Type, "application/json"))
	switch fault {
	case CutLength, CutChunked:
		cut(w, fault, a)
	case Reset:
		reset(r)
	case Slow:
		dribble(w, r, a, h.faults.s.SlowFor)
		return
	case HTMLBadGateway, HTMLOK:
		header.Del("Content-Encoding")
		header.Set("Content-Type", "text/html; charset=utf-8")
		a.Body = []byte(htmlPage)
	default:
		if !isTransport(fault) {
			if a.Status == http.StatusOK {
				a.Body = h.faults.rewritten(a.Body)
			}
			break
		}
		header.Del("Content-Encoding")
		setRetryAfter(header, fault, now)
		if a.Body = nil; fault != EmptyError && a.Error != nil {
			a.Body = a.Error(a.Status)
		}
	}
	header.Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}

// setRetryAfter sets Retry-After, of a second at least, for the faults that have it.
func setRetryAfter(h http.Header, fault Fault, now time.Time) {
	switch fault {
	case ThrottleSeconds, UnavailableSeconds:
		h.Set("Retry-After", "1")
	case ThrottleDate:
		h.Set("Retry-After", now.Add(2*time.Second-1).Format(http.TimeFormat))
	default:
	}
}

// WholeSeconds is a duration as headers have it: a part of a second is rounded up.
func WholeSeconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}

// cut sends half of the body, and ends as if the sender had died.
func cut(w http.ResponseWriter, fault Fault, a Reply) {
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
func dribble(w http.ResponseWriter, r *http.Request, a Reply, whole time.Duration) {
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
