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
	// SlowFor is how long the rest of a slow body takes; zero means two seconds.
	SlowFor time.Duration
	// MaxRun is how many requests to one endpoint may fail in a row by chance. Zero means two, so
	// that the third attempt succeeds.
	MaxRun int
}

// Faults decide which requests fail. Chance follows from the seed and the number of the request at
// its endpoint, so the same requests get the same faults. Injected faults come before chance. The
// zero value isn't usable.
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
func NewFaults(s FaultSettings) *Faults {
	s.SlowFor, s.MaxRun = cmp.Or(s.SlowFor, 2*time.Second), cmp.Or(s.MaxRun, 2)
	return &Faults{s: s, always: map[string]Fault{}, runs: map[string]int{}}
}

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

// Always makes each matching request to an endpoint fail; NoFault ends that.
func (f *Faults) Always(endpoint string, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.always[endpoint] = fault
}

// Hook calls a function for each request before anything else. It must not call f. Nil removes it.
func (f *Faults) Hook(hook func(Request) Fault) {
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

// Stop ends all faults; the counts stay.
func (f *Faults) Stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.always)
	f.once, f.rates, f.hook, f.rewrite = nil, nil, nil, nil
}

// Counts is how often each fault happened at an endpoint; empty means all endpoints.
func (f *Faults) Counts(endpoint string) map[Fault]int { return f.counts.Count(endpoint) }

// Pending is the number of injected faults that haven't happened yet.
func (f *Faults) Pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.once)
}

// next decides on a request. fits says which faults apply to it.
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
