package app

import (
	"cmp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// account is the unit that one replica reads: all sources whose requests count against one limit of
// the provider.
type account struct {
	// key identifies the account; replicas with the same configuration have the same key.
	key     string
	sources []*source
	// feeds are the feeds of each source that have a row in the ledger, in the order of acquisition:
	// the owner of the first one has the account.
	feeds [][]ledger.FeedSpec
}

// feedName identifies a feed in the ledger.
type feedName struct{ source, feed string }

func nameOf(f *ledger.FeedSpec) feedName { return feedName{f.Source, f.Feed} }

// callsPerPoll is the number of calls per hour that costs about as much as polling a feed without
// calls.
const callsPerPoll = 1000

// feedCost is the cost of reading a feed. It is an integer, so that small changes move no account.
func feedCost(f *ledger.FeedOwner) int { return 1 + int(f.CallsPerHour/callsPerPoll) }

// cluster is a ledger.Cluster by name.
type cluster struct {
	replicas []ledger.Replica // by start
	feeds    map[feedName]*ledger.FeedOwner
	load     map[string]int // by replica: cost of all its feeds, with those that this configuration lacks
	until    time.Time      // owned feeds are shown until then
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

// ownerOf is the replica that has the account: the owner of its first feed with an owner, or empty.
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

// cost is the cost of reading an account.
func (c *cluster) cost(a *account) (cost int) {
	for _, spec := range slices.Concat(a.feeds...) {
		if f := c.feeds[nameOf(&spec)]; f != nil {
			cost += feedCost(f)
		}
	}
	return cost
}

// leastLoaded is the replica with the least load. Of several, it is the one that started last, which is
// the one that stays in a rolling restart.
func (c *cluster) leastLoaded() (name string) {
	for _, r := range slices.Backward(c.replicas) {
		if name == "" || c.load[r.Name] < c.load[name] {
			name = r.Name
		}
	}
	return name
}

// placeAccounts decides which replica reads each account, by the account's key. Replicas that see
// the same cluster decide the same. An account stays where it is. Accounts without an owner go to
// the replica with the least load, the costliest first. If there are none and the replicas are
// settled, one account may move, to balance the load. It moves away from a replica that has more
// load without it than the least loaded replica has.
//
// In the end, the load of each replica without any one of its accounts is at most the least loaded
// replica's. So a new replica without accounts gets all accounts of one that leaves: in a rolling
// restart that starts the new process before it stops the old, each account moves once.
func placeAccounts(c *cluster, accounts []account, settled bool) map[string]string {
	placed := make(map[string]string)
	sorted := slices.SortedFunc(slices.Values(accounts), func(a, b account) int {
		return cmp.Or(c.cost(&b)-c.cost(&a), cmp.Compare(a.key, b.key))
	})
	for i := range sorted {
		a := &sorted[i]
		if placed[a.key] = c.ownerOf(a); placed[a.key] == "" {
			to := c.leastLoaded()
			placed[a.key] = to
			c.load[to] += c.cost(a)
			settled = false
		}
	}
	to := c.leastLoaded()
	for i := 0; i < len(sorted) && settled; i++ {
		a := &sorted[i]
		if from := placed[a.key]; c.load[from]-c.cost(a) > c.load[to] {
			placed[a.key] = to
			settled = false
		}
	}
	return placed
}
