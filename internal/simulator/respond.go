package simulator

import (
	"cmp"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// Reply is the answer to a request before any fault, and the request itself.
type Reply struct {
	Status int
	// Header may have a Content-Type; the default is application/json.
	Header http.Header
	Body   []byte
	// Error makes the body of an error status, in the provider's form.
	Error func(status int) []byte
	// Request is the request, without its endpoint and number.
	Request
	// Refused requests get no faults.
	Refused bool
	// Gzip compresses the body for clients that accept it.
	Gzip bool
	// Own are the provider's own faults that apply to this request, and how each changes the reply.
	Own map[Fault]func(*Reply)
	// Do executes the request, unless a fault refuses it; nil for a request that changes nothing.
	Do func(*Reply)
}

// Instead is a fault that replaces a reply.
func Instead(refused Reply) func(*Reply) {
	return func(r *Reply) { *r = refused }
}

const htmlPage = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Our services aren't " +
	"available right now</h1></body></html>\n"

// write sends a reply with a fault of any provider, or unchanged: the provider's own faults are
// already in the reply. For cut bodies and resets it panics with http.ErrAbortHandler, which
// net/http expects.
func (h *Host) write(w http.ResponseWriter, r *http.Request, fault Fault, a Reply) {
	header, now := w.Header(), h.Now()
	maps.Copy(header, a.Header)
	header.Set("Date", now.Format(http.TimeFormat))
	header.Set("Content-Type", cmp.Or(a.Header.Get("Content-Type"), "application/json"))
	switch fault {
	case CutChunked:
		sendHalf(w, a)
		panic(http.ErrAbortHandler)
	case CutLength, Slow:
		header.Set("Content-Length", strconv.Itoa(len(a.Body)))
		rest := sendHalf(w, a)
		if fault == CutLength {
			panic(http.ErrAbortHandler)
		}
		select {
		case <-r.Context().Done():
		case <-time.After(h.faults.s.SlowFor):
			_, _ = w.Write(rest)
		}
		return
	case Reset:
		reset(r)
	case HTMLBadGateway, HTMLOK:
		header.Del("Content-Encoding")
		header.Set("Content-Type", "text/html; charset=utf-8")
		a.Body = []byte(htmlPage)
	default:
		if _, ok := transport[fault]; !ok {
			if a.Status == http.StatusOK {
				a.Body = h.faults.rewritten(a.Body)
			}
			break
		}
		header.Del("Content-Encoding")
		inTwo := now.Add(2*time.Second - 1).Format(http.TimeFormat) // in whole seconds: at least one
		if after := map[Fault]string{
			ThrottleSeconds: "1", UnavailableSeconds: "1",
			ThrottleDate: inTwo,
		}[fault]; after != "" {
			header.Set("Retry-After", after)
		}
		if a.Body = nil; fault != EmptyError && a.Error != nil {
			a.Body = a.Error(a.Status)
		}
	}
	header.Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}

// WholeSeconds is a duration in the form of headers: rounded up to seconds.
func WholeSeconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}

// sendHalf sends half of the body, and returns the rest.
func sendHalf(w http.ResponseWriter, a Reply) (rest []byte) {
	half := len(a.Body) / 2
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body[:half])
	_ = http.NewResponseController(w).Flush() // both writers of net/http support it
	return a.Body[half:]
}
