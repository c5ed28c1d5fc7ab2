package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// ledgerShow prints what the ledger has.
type ledgerShow struct{ ledgerFolder }

func newLedgerShow(c *kingpin.CmdClause) command {
	k := &ledgerShow{}
	k.flags(c)
	return k
}

func (k *ledgerShow) run(ctx context.Context, s streams) (err error) {
	i, folder, err := k.inspect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	feeds, err := i.Feeds()
	if err != nil {
		return err
	}
	size, err := i.Size()
	if err != nil {
		return err
	}
	outbox, err := i.Outbox()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s: %s, %d log records wait to be sent\n", folder, megabytes(size), outbox)
	for n := range feeds {
		k.feed(w, &feeds[n])
	}
	return w.Flush()
}

// feed prints a feed.
func (k *ledgerShow) feed(w io.Writer, f *ledger.FeedReport) {
	st, history := &f.State, "being read"
	if st.HistoryDone {
		history = "read"
	}
	fmt.Fprintf(w, "\n%s/%s (%s)\n", f.Source, f.Feed, f.Provider)
	fmt.Fprintf(w, "records\t%d\nwatermark\t%s\nnewest call\t%s\norigin\t%s\nfloor\t%s\nfirst history\t%s\n",
		st.Records, moment(st.Watermark), moment(st.NewestCall), moment(st.Origin), moment(st.Floor), history)
	fmt.Fprintf(w, "tasks\t%d wait, %d set aside\n", f.Waiting, len(f.SetAside))
	var ids ledger.BucketReport
	for _, b := range f.Buckets {
		ids.IDs, ids.Blocks, ids.Bytes = ids.IDs+b.IDs, ids.Blocks+b.Blocks, ids.Bytes+b.Bytes
	}
	fmt.Fprintf(w, "ids\t%d in %d blocks of %s, %d of them not in blocks yet\n", ids.IDs, ids.Blocks, megabytes(ids.Bytes), f.Journal)
	if len(f.SetAside) > 0 {
		fmt.Fprintf(w, "\nset aside\tkind\tattempts\tnext\twhy\n")
		for _, t := range f.SetAside {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", t.Key, t.Kind, t.Attempts, moment(t.Due), why(&t))
		}
	}
	if len(f.BadRows) > 0 {
		fmt.Fprintf(w, "\nrows set aside\tlast\twhy\n")
		for _, b := range f.BadRows {
			fmt.Fprintf(w, "%d\t%s\t%s\n", b.Rows, moment(b.Last), b.Problem)
		}
	}
}

// why says why a task was set aside.
func why(t *ledger.Task) string {
	if t.Kind == ledger.TaskSpan {
		return "the provider can't give this span of time"
	}
	return t.Problem
}

func moment(at time.Time) string {
	if at.IsZero() {
		return "none"
	}
	return at.UTC().Format(time.RFC3339)
}
