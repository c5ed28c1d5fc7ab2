package callrecords

import (
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// maxPaces bounds how many records' paces are kept. If those in use are dropped with the others, Graph throttles at the worst.
const maxPaces = 10_000

// paces keeps to what Graph allows for each call record (throttling limits, "Call records"). It is safe for concurrent use.
type paces struct {
	first, following httpclient.Limit // for first pages, and for those that next links lead to

	mu   sync.Mutex
	byID map[string]pace // guarded by mu
}

type pace struct{ first, following *httpclient.Limiter }

func newPaces() *paces {
	return &paces{
		first:     httpclient.Limit{Requests: 10, Per: 20 * time.Second},
		following: httpclient.Limit{Requests: 50, Per: 5 * time.Minute},
		byID:      make(map[string]pace),
	}
}

// forRecord returns the pace of a record.
func (p *paces) forRecord(id string) pace {
	p.mu.Lock()
	defer p.mu.Unlock()
	one, known := p.byID[id]
	if !known {
		if len(p.byID) >= maxPaces {
			clear(p.byID)
		}
		one = pace{first: httpclient.NewLimiter(p.first), following: httpclient.NewLimiter(p.following)}
		p.byID[id] = one
	}
	return one
}
