package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

func newCheckConfig(c *kingpin.CmdClause) command {
	files := c.Arg("file", "Configuration file.").Required().Strings()
	return func(_ context.Context, s streams) error { return checkConfig(*files, s) }
}

func checkConfig(files []string, s streams) (failed error) {
	for _, file := range files {
		if err := app.Check(app.Settings{ConfigFile: file, WebhookAddresses: []string{"localhost:0"}}); err != nil {
			failed = errSilent
			fmt.Fprintln(s.errors, err)
			continue
		}
		fmt.Fprintf(s.out, "%s is good\n", file)
	}
	return failed
}

func newCheckSources(c *kingpin.CmdClause) command {
	var timeout time.Duration
	run := configCommand(c, func(ctx context.Context, r *commandConfig, s streams) error {
		return checkSources(ctx, r, timeout, s)
	})
	c.Flag("timeout", "Timeout of one feed.").Default("1m").DurationVar(&timeout)
	return run
}

func checkSources(ctx context.Context, r *commandConfig, timeout time.Duration, s streams) error {
	k := &sourceCheck{timeout: timeout, providers: r.providers, table: newTable(s.out), notes: new(strings.Builder)}
	fmt.Fprintln(k.table, "SOURCE\tPROVIDER\tFEED\tRESULT")
	var failed error
	for i := range r.Sources {
		c := &r.Sources[i]
		source, err := r.open(c.Name)
		if err != nil {
			k.result(c, "", "failed")
			k.note(c.Name+": failed", err.Error(), "correct the configuration")
		} else {
			err = k.feeds(ctx, c, source)
		}
		if err != nil {
			failed = errSilent
		}
	}
	err := k.table.Flush()
	_, more := fmt.Fprint(s.out, k.notes)
	return errors.Join(failed, err, more)
}

// sourceCheck has a table with a line for each feed, and notes about them below it.
type sourceCheck struct {
	timeout   time.Duration // for one feed
	providers []collector.Provider
	table     *tabwriter.Writer
	notes     *strings.Builder
}

func (k *sourceCheck) result(c *config.Source, feed, result string) {
	fmt.Fprintf(k.table, "%s\t%s\t%s\t%s\n", c.Name, c.ProviderName, feed, result)
}

// note adds a block: the subject, the finding and what to do about it.
func (k *sourceCheck) note(about, what, todo string) {
	fmt.Fprintf(k.notes, "\n%s\n  %s\n  What to do: %s\n", about, what, todo)
}

// feeds probes every feed of one source, each within the timeout. An error that several feeds have
// gets one block.
func (k *sourceCheck) feeds(ctx context.Context, c *config.Source, source *collector.Source) (failed error) {
	var empty []string
	type failure struct{ feeds, what, todo string }
	var failures []*failure
	for i := range source.Feeds {
		feed := &source.Feeds[i]
		if feed.IsPostedOnly() {
			k.result(c, feed.Name, "nothing to check: records are posted to "+feed.Webhook.Path)
			continue
		}
		calls, err := within(ctx, k.timeout, feed.Probe)
		switch {
		case err != nil:
			failed = err
			k.result(c, feed.Name, "failed, see below")
			what, todo := source.Advise(err)
			if until := source.ThrottledUntil(); errors.Is(err, httpclient.ErrLimited) && !until.IsZero() {
				what += "; the next request is allowed at " + moment(until)
			}
			// Texts contain request ids, so feeds with the same remedy share a block.
			if same := slices.IndexFunc(failures, func(f *failure) bool { return f.todo == todo }); same >= 0 {
				failures[same].feeds += ", " + feed.Name
			} else {
				failures = append(failures, &failure{feed.Name, what, todo})
			}
		case feed.ActiveCalls != nil:
			k.result(c, feed.Name, fmt.Sprintf("ok, %d calls in progress", calls))
		case calls == 0:
			k.result(c, feed.Name, "ok, 0 calls in the last minute")
			empty = append(empty, feed.Name)
		default:
			k.result(c, feed.Name, fmt.Sprintf("ok, %d calls in the smallest page", calls))
		}
		if feed.Webhook != nil && feed.Webhook.Try != nil {
			k.webhook(ctx, c, feed)
		}
	}
	for _, f := range failures {
		k.note(c.Name+": "+f.feeds+" failed", f.what, f.todo)
	}
	if len(empty) > 0 {
		k.note(c.Name+": 0 calls in the last minute in "+strings.Join(empty, ", "),
			"Providers publish a call some minutes after its end, so this may be normal.",
			"if you expect some, check that this is the right feed: "+k.holds(c.ProviderName))
	}
	k.roles(ctx, c, source)
	return failed
}

// webhook sends a request to the public address of notifications. A missing answer isn't a failure
// of the feed: the exporter may not run yet.
func (k *sourceCheck) webhook(ctx context.Context, c *config.Source, feed *collector.FeedInfo) {
	_, err := within(ctx, min(k.timeout, webhookTimeout),
		func(ctx context.Context) (int, error) { return 0, feed.Webhook.Try(ctx) })
	if err == nil {
		k.result(c, feed.Name, "ok, the webhook answers at "+feed.Webhook.URL)
		return
	}
	k.result(c, feed.Name, "the webhook doesn't answer, see below")
	k.note(c.Name+": no answer from the webhook at "+feed.Webhook.URL, err.Error(),
		"run the exporter with --webhook.listen-address, and check that the provider can reach this address "+
			"from the internet: a publicly "+
			"trusted certificate, no sign-in, and a proxy that forwards path and query; until then the "+
			"exporter only reads the list")
}

// roles prints what the token allows. Without a token there already is another block.
func (k *sourceCheck) roles(ctx context.Context, c *config.Source, source *collector.Source) {
	if source.Roles == nil {
		return
	}
	if roles, err := within(ctx, k.timeout, source.Roles); err == nil {
		fmt.Fprintf(k.notes, "\n%s: the token has these roles: %s\n", c.Name, cmp.Or(strings.Join(roles, ", "), "none"))
	}
}

// holds describes the calls of each feed of a provider.
func (k *sourceCheck) holds(provider string) string {
	var feeds []string
	for _, p := range k.providers {
		for _, f := range p.Feeds() {
			if p.Name == provider && !f.Snapshot {
				feeds = append(feeds, f.Name+" has the calls of "+cmp.Or(f.Coverage, "the whole account"))
			}
		}
	}
	return strings.Join(feeds, "; ")
}

// webhookTimeout is how long Graph waits for an answer, too.
const webhookTimeout = 10 * time.Second

func within[T any](ctx context.Context, timeout time.Duration, do func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return do(ctx)
}
