package msgraph

import (
	"maps"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// What Graph allows of one call record, for first pages and for those that follow (throttling limits, "Call records").
var (
	firstPages     = httpclient.Limit{Requests: 10, Per: 20 * time.Second}
	followingPages = httpclient.Limit{Requests: 50, Per: 5 * time.Minute}
)

// maxIdlePaces is how many records' paces are kept before those that no longer limit anything are dropped.
const maxIdlePaces = 1000

// paces keep to what Graph allows of each call record. It is safe for concurrent use.
type paces struct {
	first, following httpclient.Limit

	mu   sync.Mutex
	byID map[string]*pace // guarded by mu
}

// pace is that of one record.
type pace struct{ first, following *httpclient.Limiter }

func newPaces() *paces {
	return &paces{first: firstPages, following: followingPages, byID: make(map[string]*pace)}
}

// of returns the pace of a record.
func (p *paces) of(id string) *pace {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.byID[id]
	if one == nil {
		if len(p.byID) >= maxIdlePaces {
			maps.DeleteFunc(p.byID, func(_ string, one *pace) bool { return one.idle() })
		}
		one = &pace{first: httpclient.NewLimiter(p.first), following: httpclient.NewLimiter(p.following)}
		p.byID[id] = one
	}
	return one
}

// idle says that a new pace would do as well.
func (p *pace) idle() bool {
	first, following := p.first.Budget(), p.following.Budget()
	return first.Remaining == first.Limit && following.Remaining == following.Limit
}
