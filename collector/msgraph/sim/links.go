package sim

import (
	"fmt"
	"sync"
	"time"
)

// maxLinks is how many next links are remembered; older ones have expired.
const maxLinks = 50_000

// link is what a next link leads to.
type link struct {
	query
	skip   int
	issued time.Time
}

// links are the next links that were given out, by path and query. One that
// wasn't given out isn't followed: whoever builds links is noticed.
type links struct {
	mu    sync.Mutex
	known map[string]link
	order []string
	// tokens counts the links that need to differ from others.
	tokens int
}

// issue makes a link. Names says how its parameters are called; distinct makes
// it differ from all others.
func (l *links) issue(to link, otherNames, distinct bool) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	name, from, until := "getDirectRoutingCalls", "fromDateTime", "toDateTime"
	if to.endpoint == EndpointPSTN {
		name = "getPstnCalls"
	}
	if otherNames {
		from, until = "from", "to"
	}
	uri := fmt.Sprintf("/v1.0/communications/callRecords/%s(%s=%s,%s=%s)?$skip=%d",
		name, from, to.fromText, until, to.toText, to.skip)
	if distinct {
		l.tokens++
		uri += fmt.Sprintf("&$skiptoken=%d", l.tokens)
	}
	if l.known == nil {
		l.known = map[string]link{}
	}
	if _, ok := l.known[uri]; !ok {
		l.order = append(l.order, uri)
	}
	l.known[uri] = to
	if len(l.order) > maxLinks {
		delete(l.known, l.order[0])
		l.order = l.order[1:]
	}
	return uri
}

// follow is where a link leads, and whether it was given out.
func (l *links) follow(uri string) (link, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to, ok := l.known[uri]
	return to, ok
}
