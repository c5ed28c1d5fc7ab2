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
type ledgerShow struct{ ledgerPlace }

func newLedgerShow(c *kingpin.CmdClause) command {
	k := &ledgerShow{}
	k.flags(c)
	return k.run
}

func (k *ledgerShow) run(ctx context.Context, s streams) (err error) {
	i, storage, err := k.inspect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	feeds, err := i.Feeds()
	if err != nil {
		return err
	}
	where := storage.String()
	if size, err := i.Size(); err == nil { // a database's is not ours to know
		where += ": " + megabytes(size)
	}
	outbox, err := i.Outbox()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s, %d log records wait to be sent\n", where, outbox)
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
	k.buckets(w, f)
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

// buckets prints the ids by hour, or by four days where hours don't find them.
func (k *ledgerShow) buckets(w io.Writer, f *ledger.FeedReport) {
	fmt.Fprintf(w, "\nids of\tnumber\tblocks\tbytes\n")
	for _, b := range f.Buckets {
		from := b.Start.Format("2006-01-02 15:04") + " UTC"
		if !b.Hour {
			from = "four days from " + b.Start.Format(time.DateOnly)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", from, b.IDs, b.Blocks, b.Bytes)
	}
	fmt.Fprintf(w, "(%d more aren't in blocks yet)\n", f.Journal)
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
