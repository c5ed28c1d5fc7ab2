package simulator

import (
	"slices"
	"sync"
	"time"
)

// Fault is a fault of one response.
type Fault string

// The faults of any provider. NoFault is a regular response.
const (
	NoFault Fault = ""
	// Throttled is 429 with Retry-After, Unavailable 503. Both carry the provider's own error body.
	Throttled   Fault = "429"
	Unavailable Fault = "503"
	// HTML is a gateway's page where JSON should be, with status 200.
	HTML Fault = "html"
	// Cut announces more bytes than it sends. Slow sends half of the right body, and the rest later.
	Cut  Fault = "cut"
	Slow Fault = "slow"
	// Reset resets the connection.
	Reset Fault = "reset"
)

// Transient are the faults of any provider after which the same request succeeds.
func Transient() []Fault { return []Fault{Throttled, Unavailable, HTML, Cut, Slow, Reset} }

// slowFor is how long the rest of a slow body takes.
const slowFor = 100 * time.Millisecond

// maxRun is how many requests to one endpoint may fail in a row by chance: the third attempt succeeds.
const maxRun = 2

// Faults decide which requests fail. Chance follows from the seed and the number of the request at
// its endpoint, so the same requests get the same faults. Injected faults come before chance. The
// zero value isn't usable.
type Faults struct {
	seed uint64

	mu      sync.Mutex
	once    []pending
	rates   []rate
	hook    func(endpoint string) Fault
	rewrite func(body []byte) []byte
	runs    map[string]int
}

// pending is an injected fault that hasn't happened yet.
type pending struct {
	endpoint string
	fault    Fault
}

type rate struct {
	endpoint string
	part     float64
	faults   []Fault
}

// NewFaults has no faults yet.
func NewFaults(seed uint64) *Faults { return &Faults{seed: seed, runs: map[string]int{}} }

// Rate makes a share of an endpoint's requests fail with one of the faults; an empty endpoint means
// all. Rates add up; the first that hits wins.
func (f *Faults) Rate(endpoint string, part float64, faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rates = append(f.rates, rate{endpoint, part, slices.Clone(faults)})
}

// Once makes the next matching requests to an endpoint (empty: any) fail with these faults, one
// each, in order. NoFault lets one pass.
func (f *Faults) Once(endpoint string, faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range faults {
		f.once = append(f.once, pending{endpoint, fault})
	}
}

// Hook calls a function with each request's endpoint before anything else. It must not call f.
func (f *Faults) Hook(hook func(endpoint string) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = hook
}

// Rewrite changes the body of each successful answer without a fault. The function must not call f.
func (f *Faults) Rewrite(rewrite func(body []byte) []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rewrite = rewrite
}

func (f *Faults) rewritten(body []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rewrite == nil {
		return body
	}
	return f.rewrite(body)
}

// Stop ends all faults.
func (f *Faults) Stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.once, f.rates, f.hook, f.rewrite = nil, nil, nil, nil
}

// Pending is the number of injected faults that haven't happened yet.
func (f *Faults) Pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.once)
}

// next decides on an endpoint's request with a number, from 0. fits says which faults apply to it.
func (f *Faults) next(endpoint string, number int, fits func(Fault) bool) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hook != nil {
		if fault := f.hook(endpoint); fault != NoFault {
			return fault
		}
	}
	for i, p := range f.once {
		if (p.endpoint == "" || p.endpoint == endpoint) && fits(p.fault) {
			f.once = slices.Delete(f.once, i, i+1)
			return p.fault
		}
	}
	fault := f.chance(endpoint, number, fits)
	if fault == NoFault || f.runs[endpoint] >= maxRun {
		f.runs[endpoint] = 0
		return NoFault
	}
	f.runs[endpoint]++
	return fault
}

func (f *Faults) chance(endpoint string, number int, fits func(Fault) bool) Fault {
	d := newDraws(f.seed, hashOf(endpoint), uint64(number))
	for _, rate := range f.rates {
		if !d.Hits(rate.part) || rate.endpoint != "" && rate.endpoint != endpoint {
			continue
		}
		if fault := rate.faults[d.Below(len(rate.faults))]; fits(fault) {
			return fault
		}
	}
	return NoFault
}
