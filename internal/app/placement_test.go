package app

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// replicasOf are replicas in order of their start.
func replicasOf(names string) (all []ledger.Replica) {
	for name := range strings.FieldsSeq(names) {
		all = append(all, ledger.Replica{Name: name})
	}
	return all
}

// feedsOf makes feeds from texts such as "a/x@one:3": the feed x of the source a is read by the
// replica one, and costs 3.
func feedsOf(t *testing.T, text string) (all []ledger.FeedOwner) {
	t.Helper()
	for one := range strings.FieldsSeq(text) {
		name, owner, _ := strings.Cut(one, "@")
		source, feed, _ := strings.Cut(name, "/")
		owner, cost, _ := strings.Cut(owner, ":")
		f := ledger.FeedOwner{Source: source, Feed: feed, Owner: owner}
		if cost != "" {
			if _, err := fmt.Sscan(cost, &f.CallsPerHour); err != nil {
				t.Fatal(err)
			}
			f.CallsPerHour = (f.CallsPerHour - 1) * callsPerPoll
		}
		all = append(all, f)
	}
	return all
}

// accountsOf makes an account of each source, or of several that are joined by a +.
func accountsOf(feeds []ledger.FeedOwner, joined ...string) (all []account) {
	index := map[string]int{}
	for _, f := range feeds {
		key := f.Source
		for _, sources := range joined {
			if strings.Contains("+"+sources+"+", "+"+f.Source+"+") {
				key = sources
			}
		}
		if _, known := index[key]; !known {
			index[key] = len(all)
			all = append(all, account{key: key})
		}
		a := &all[index[key]]
		a.feeds = append(a.feeds, namedFeeds(f.Source, f.Feed))
	}
	return all
}

func TestPlace(t *testing.T) {
	for _, tt := range []struct {
		name, replicas, feeds string
		joined                string
		settled               bool
		want                  string // account=replica
	}{
		{name: "no replica", feeds: "a/x", want: "a="},
		{name: "one replica", replicas: "one", feeds: "a/x b/x", want: "a=one b=one"},
		{name: "a start spreads", replicas: "one two", feeds: "a/x b/x c/x d/x", want: "a=two b=one c=two d=one"},
		{
			name: "the costliest first", replicas: "one two", feeds: "a/x@:2 b/x@:3 c/x@:5 d/x",
			want: "c=two b=one a=one d=two",
		},
		{name: "the feeds of a source stay together", replicas: "one two", feeds: "a/x a/y b/x", want: "a=two b=one"},
		{
			name: "the sources of an account stay together", replicas: "one two", feeds: "a/x b/x c/x", joined: "a+b",
			want: "a+b=two c=one",
		},
		{
			name: "what is owned stays", replicas: "one two", feeds: "a/x@one b/x@one c/x@one d/x@one",
			want: "a=one b=one c=one d=one",
		},
		{name: "the first feed decides", replicas: "one two", feeds: "a/x@two a/y@one", want: "a=two"},
		{name: "without the first, the second", replicas: "one two", feeds: "a/x a/y@one b/x@two", want: "a=one b=two"},
		{
			name: "a death is spread", replicas: "one two", feeds: "a/x@one b/x@two c/x d/x",
			want: "a=one b=two c=two d=one",
		},
		{
			name: "to the least loaded", replicas: "one two", feeds: "a/x@one:9 b/x@two c/x d/x",
			want: "a=one b=two c=two d=two",
		},
		{
			name: "what others have configured counts", replicas: "one two", feeds: "z/x@two:9 a/x b/x", joined: "-z",
			want: "a=one b=one",
		},
		{
			name: "settled, one moves", replicas: "one two", feeds: "a/x@one b/x@one c/x@one d/x@one", settled: true,
			want: "a=two b=one c=one d=one",
		},
		{
			name: "settled, the costliest that helps", replicas: "one two", feeds: "a/x@one:9 b/x@one:4 c/x@one:2",
			settled: true, want: "a=two b=one c=one",
		},
		{
			name: "settled, none moves without an improvement", replicas: "one two", feeds: "a/x@one:9 b/x@two",
			settled: true, want: "a=one b=two",
		},
		{
			name: "settled, as even as can be", replicas: "one two", feeds: "a/x@one b/x@one c/x@two", settled: true,
			want: "a=one b=one c=two",
		},
		{
			name: "settled, nothing moves while one waits", replicas: "one two", feeds: "a/x@one b/x@one c/x@one d/x",
			settled: true, want: "a=one b=one c=one d=two",
		},
		{
			name: "a new one is given all that another leaves", replicas: "two three new",
			feeds: "a/x:3 b/x:2 c/x d/x@two:6 e/x@three:6", want: "a=new b=new c=new d=two e=three",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			feeds := feedsOf(t, tt.feeds)
			accounts := accountsOf(feeds, tt.joined)
			if strings.HasPrefix(tt.joined, "-") { // one isn't configured here
				accounts = accountsOf(feeds)[1:]
			}
			want := map[string]string{}
			for one := range strings.FieldsSeq(tt.want) {
				key, replica, _ := strings.Cut(one, "=")
				want[key] = replica
			}
			got := placeAccounts(newCluster(&ledger.Cluster{Replicas: replicasOf(tt.replicas), Feeds: feeds}), accounts,
				tt.settled)
			if !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestFeedCost(t *testing.T) {
	for calls, want := range map[float64]int{0: 1, 999: 1, 1000: 2, 36_000: 37} {
		if got := feedCost(&ledger.FeedOwner{CallsPerHour: calls}); got != want {
			t.Errorf("%v calls an hour: got %d, want %d", calls, got, want)
		}
	}
}

// namedFeeds are feeds of a source.
func namedFeeds(source string, names ...string) (all []ledger.FeedSpec) {
	for _, name := range names {
		all = append(all, ledger.FeedSpec{Settings: counting.Settings{Source: source, Feed: name}})
	}
	return all
}

// While a reload goes round, some replicas have a source with records and calls in progress, and others with one of
// them. Each finds the owner by the feeds that it has, so that two never read an account.
func TestOwnerWhileConfigurationsDiffer(t *testing.T) {
	records, live := collector.FeedInfo{Name: "call_log"}, collector.FeedInfo{
		Name:        "active_calls",
		ActiveCalls: func(context.Context, bool) (map[cdr.Direction]int, error) { return nil, nil },
	}
	account := func(feeds ...collector.FeedInfo) *account {
		s := &source{config: &config.Source{Name: "a"}, opened: &collector.Source{Feeds: feeds}}
		return &account{key: "a", feeds: [][]ledger.FeedSpec{s.specs()}}
	}
	both := []collector.FeedInfo{records, live}
	for name, c := range map[string]struct{ owner, other []collector.FeedInfo }{
		"records are removed": {both, both[1:]},
		"records are added":   {both[1:], both},
	} {
		t.Run(name, func(t *testing.T) {
			var now ledger.Cluster
			for _, f := range account(c.owner...).feeds[0] {
				now.Feeds = append(now.Feeds, ledger.FeedOwner{Source: f.Source, Feed: f.Feed, Owner: "one"})
			}
			if got := newCluster(&now).ownerOf(account(c.other...)); got != "one" {
				t.Errorf("the owner is %q, want one", got)
			}
		})
	}
}
