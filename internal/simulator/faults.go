package simulator

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// FaultSettings say how faults behave.
type FaultSettings struct {
	Seed uint64
	// SlowFor is how long the rest of a slow body takes; two seconds if zero.
	SlowFor time.Duration
	// MaxRun is how many requests to one endpoint may fail in a row by chance; two if zero, so that the third attempt succeeds.
	MaxRun int
}

// Faults decide what goes wrong. Chance follows from the seed and the number of the request at its endpoint, so the same requests meet the
// same faults. What was injected comes before chance. The zero value is of no use.
type Faults struct {
	s FaultSettings

	mu      sync.Mutex
	always  map[string]Fault // by endpoint
	once    []pending
	rates   []rate
	hook    func(Request) Fault
	rewrite func(body []byte) []byte
	counts  counts[Fault]
	runs    map[string]int
}

// pending is a fault that is yet to come.
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
func NewFaults(s FaultSettings) *Faults {
	s.SlowFor, s.MaxRun = cmp.Or(s.SlowFor, 2*time.Second), cmp.Or(s.MaxRun, 2)
	return &Faults{s: s, always: map[string]Fault{}, runs: map[string]int{}}
}

// Rate makes a share of an endpoint's requests meet one of the faults; an empty endpoint is every one. Rates add up, the first that hits
// wins.
func (f *Faults) Rate(endpoint string, part float64, faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rates = append(f.rates, rate{endpoint, part, slices.Clone(faults)})
}

// Once makes the next requests to an endpoint (empty: to any) that fit meet these faults, one each, in order. NoFault lets one pass.
func (f *Faults) Once(endpoint string, faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range faults {
		f.once = append(f.once, pending{endpoint, fault})
	}
}

// Always makes each request to an endpoint that fits meet a fault; NoFault ends that.
func (f *Faults) Always(endpoint string, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.always[endpoint] = fault
}

// Hook asks a function about each request before anything else. It must not call f. Nil removes it.
func (f *Faults) Hook(hook func(Request) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = hook
}

// Rewrite changes the body of each answer of success that meets no fault. The function must not call f.
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

// Stop ends all faults; the counts stay.
func (f *Faults) Stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.always)
	f.once, f.rates, f.hook, f.rewrite = nil, nil, nil, nil
}

// Counts is how often each fault happened at an endpoint; empty: at all.
func (f *Faults) Counts(endpoint string) map[Fault]int { return f.counts.Count(endpoint) }

// Pending is the number of injected faults that didn't happen yet.
func (f *Faults) Pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.once)
}

// next decides about a request. Fits says which faults can be done to it.
func (f *Faults) next(r Request, fits func(Fault) bool) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	fault := f.choose(r, fits)
	if fault != NoFault {
		f.counts.add(r.Endpoint, fault)
	}
	return fault
}

func (f *Faults) choose(r Request, fits func(Fault) bool) Fault {
	if f.hook != nil {
		if fault := f.hook(r); fault != NoFault {
			return fault
		}
	}
	if fault := f.always[r.Endpoint]; fault != NoFault && fits(fault) {
		return fault
	}
	for i, p := range f.once {
		if (p.endpoint == "" || p.endpoint == r.Endpoint) && fits(p.fault) {
			f.once = slices.Delete(f.once, i, i+1)
			return p.fault
		}
	}
	fault := f.chance(r, fits)
	if fault == NoFault || f.runs[r.Endpoint] >= f.s.MaxRun {
		f.runs[r.Endpoint] = 0
		return NoFault
	}
	f.runs[r.Endpoint]++
	return fault
}

func (f *Faults) chance(r Request, fits func(Fault) bool) Fault {
	d := newDraws(f.s.Seed, hashOf(r.Endpoint), uint64(r.Number))
	for _, rate := range f.rates {
		if !d.Hits(rate.part) || len(rate.faults) == 0 || rate.endpoint != "" && rate.endpoint != r.Endpoint {
			continue
		}
		if fault := rate.faults[d.Below(len(rate.faults))]; fits(fault) {
			return fault
		}
	}
	return NoFault
}
