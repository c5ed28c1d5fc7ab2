package app

import (
	"cmp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// account is what one replica reads as a whole: all sources whose requests count against one limit of the provider's.
type account struct {
	// key names it; with the same configuration it is the same in each replica.
	key     string
	sources []*source
	// feeds are those of each source that have a row in the ledger, in the order in which they are acquired: the owner of the first has the account.
	feeds [][]ledger.FeedSpec
}

// feedName is a feed as the ledger names it.
type feedName struct{ source, feed string }

func nameOf(f *ledger.FeedSpec) feedName { return feedName{f.Source, f.Feed} }

// callsPerPoll is how many calls an hour cost about as much as polling a feed without calls.
const callsPerPoll = 1000

// feedCost is what reading a feed costs, as an integer, so that small changes move no account.
func feedCost(f *ledger.FeedOwner) int { return 1 + int(f.CallsPerHour/callsPerPoll) }

// cluster is a ledger.Cluster by name.
type cluster struct {
	replicas []ledger.Replica // in order of their start
	feeds    map[feedName]*ledger.FeedOwner
	load     map[string]int // by replica: what all of its feeds cost, those of another configuration too
	until    time.Time      // until when the owned feeds are shown
}

func newCluster(c *ledger.Cluster) *cluster {
	all := &cluster{replicas: c.Replicas, feeds: make(map[feedName]*ledger.FeedOwner), load: make(map[string]int)}
	for i := range c.Feeds {
		f := &c.Feeds[i]
		all.feeds[feedName{f.Source, f.Feed}] = f
		if f.Owner != "" {
			all.load[f.Owner] += feedCost(f)
		}
	}
	return all
}

// ownerOf is the replica that has the account: the owner of its first feed with an owner. Empty: no replica has it.
func (c *cluster) ownerOf(a *account) string {
	for _, spec := range slices.Concat(a.feeds...) {
		if f := c.feeds[nameOf(&spec)]; f != nil && f.Owner != "" {
			return f.Owner
		}
	}
	return ""
}

// owns reports whether a replica owns a feed.
func (c *cluster) owns(replica string, name feedName) bool {
	return c.feeds[name] != nil && c.feeds[name].Owner == replica
}

// cost is what reading an account costs.
func (c *cluster) cost(a *account) (cost int) {
	for _, spec := range slices.Concat(a.feeds...) {
		if f := c.feeds[nameOf(&spec)]; f != nil {
			cost += feedCost(f)
		}
	}
	return cost
}

// idlest is the replica with the least load; of several, the one that started last, which is the one that stays in a rolling restart.
func (c *cluster) idlest() (name string) {
	for _, r := range slices.Backward(c.replicas) {
		if name == "" || c.load[r.Name] < c.load[name] {
			name = r.Name
		}
	}
	return name
}

// placeAccounts decides which replica reads each account, by the account's key. Replicas that see the same cluster decide the same. An account stays where it
// is. Accounts without an owner go to the replica with the least load, the costliest first. If there are none and the replicas are settled, one account
// may move, to even out the load: from a replica that keeps more than the least loaded has, even without that account.
//
// In the end, the load of each replica without any one of its accounts is at most that of the least loaded. So a new replica without accounts gets
// all that a leaving one gives up: in a rolling restart that starts the new process before it stops the old, each account moves once.
func placeAccounts(c *cluster, accounts []account, settled bool) map[string]string {
	placed := make(map[string]string)
	sorted := slices.SortedFunc(slices.Values(accounts), func(a, b account) int {
		return cmp.Or(c.cost(&b)-c.cost(&a), cmp.Compare(a.key, b.key))
	})
	for i := range sorted {
		a := &sorted[i]
		if placed[a.key] = c.ownerOf(a); placed[a.key] == "" {
			to := c.idlest()
			placed[a.key] = to
			c.load[to] += c.cost(a)
			settled = false
		}
	}
	to := c.idlest()
	for i := 0; i < len(sorted) && settled; i++ {
		a := &sorted[i]
		if from := placed[a.key]; c.load[from]-c.cost(a) > c.load[to] {
			placed[a.key] = to
			settled = false
		}
	}
	return placed
}
