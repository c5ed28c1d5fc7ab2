package simulator

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Reply is the answer to a request before any fault.
type Reply struct {
	Status int
	// Header may have a Content-Type; the default is application/json.
	Header http.Header
	Body   []byte
	// Error makes the body of an error status, in the provider's form.
	Error func(status int) []byte
	// Refused requests get no faults.
	Refused bool
	// Own are the provider's own faults that apply to this request, and what it answers instead.
	Own map[Fault]Reply
	// Do executes the request, unless a fault refuses it; nil for a request that changes nothing.
	Do func(*Reply)
}

// statuses are the faults that answer with a status and the provider's error body.
var statuses = map[Fault]int{Throttled: http.StatusTooManyRequests, Unavailable: http.StatusServiceUnavailable}

const htmlPage = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Our services aren't " +
	"available right now</h1></body></html>\n"

// Answer makes and sends the answer to a request to an endpoint, with a fault if one is due, and
// counts it. For cut bodies and resets it panics with http.ErrAbortHandler, which net/http expects.
func (h *Host) Answer(w http.ResponseWriter, r *http.Request, endpoint string, reply func() Reply) {
	number := h.recorder.add(endpoint, 0) - 1
	a, fault := reply(), NoFault
	if !a.Refused {
		fault = h.faults.next(endpoint, number, func(f Fault) bool {
			_, own := a.Own[f]
			return f == NoFault || own || slices.Contains(Transient(), f)
		})
	}
	header, now := w.Header(), h.Now()
	if own, ok := a.Own[fault]; ok {
		a = own
	} else if status, ok := statuses[fault]; ok {
		a = Reply{Status: status, Body: a.Error(status)}
		if fault == Throttled {
			header.Set("Retry-After", "1")
		}
	} else if a.Do != nil {
		a.Do(&a)
	}
	if fault == HTML {
		a = Reply{Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte(htmlPage)}
	}
	if fault == NoFault && a.Status == http.StatusOK {
		a.Body = h.faults.rewritten(a.Body)
	}
	maps.Copy(header, a.Header)
	header.Set("Date", now.UTC().Format(http.TimeFormat))
	header.Set("Content-Type", cmp.Or(a.Header.Get("Content-Type"), "application/json"))
	if fault == Reset {
		reset(r)
	}
	defer h.recorder.add(endpoint, a.Status) // after the body was sent
	header.Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	if fault == Cut || fault == Slow {
		half := len(a.Body) / 2
		_, _ = w.Write(a.Body[:half])
		_ = http.NewResponseController(w).Flush() // both writers of net/http support it
		if fault == Cut {
			panic(http.ErrAbortHandler)
		}
		select {
		case <-r.Context().Done():
		case <-time.After(slowFor):
		}
		a.Body = a.Body[half:]
	}
	_, _ = w.Write(a.Body)
}

// WholeSeconds is a duration in the form of headers: rounded up to seconds.
func WholeSeconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
