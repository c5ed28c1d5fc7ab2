package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// ledgerCopy copies a ledger from the storage of one configuration to that of another.
type ledgerCopy struct{ from, to ledgerPlace }

func newLedgerCopy(c *kingpin.CmdClause) command {
	k := &ledgerCopy{}
	c.Flag("from", "Configuration file whose storage has the ledger.").Required().StringVar(&k.from.config)
	c.Flag("to", "Configuration file whose storage is to have it: an empty folder, or an empty schema of PostgreSQL.").Required().StringVar(&k.to.config)
	return k.run
}

func (k *ledgerCopy) run(ctx context.Context, s streams) error {
	from, err := k.from.storage()
	if err != nil {
		return err
	}
	to, err := k.to.storage()
	if err != nil {
		return err
	}
	bar, table, total := newMeter(s.errors), "", int64(0)
	err = ledger.Copy(ctx, from, to, func(name string, done, of int64) {
		if name != table {
			table, total = name, total+of
			bar.step(name, of, "rows")
		}
		bar.set(done)
	})
	bar.end()
	if err != nil {
		return fmt.Errorf("nothing was copied: %w", err)
	}
	fmt.Fprintf(s.out, "copied %d rows from %s to %s: start the exporter with %s now, and never again with the old one\n", total, from, to, k.to.config)
	return nil
}
