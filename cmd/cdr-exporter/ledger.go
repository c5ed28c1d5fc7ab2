package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// ledgerPlace is where the ledger of a configuration is.
type ledgerPlace struct{ config string }

func (f *ledgerPlace) flags(c *kingpin.CmdClause) {
	c.Flag("config.file", "Configuration file, whose storage has the ledger.").Default("config.yaml").StringVar(&f.config)
}

func (f *ledgerPlace) storage() (ledger.Storage, error) {
	c, err := app.LoadConfig(f.config, app.Providers())
	if err != nil {
		return ledger.Storage{}, err
	}
	return app.Storage(c)
}

// inspect opens the ledger for reading, beside an exporter that may run.
func (f *ledgerPlace) inspect(ctx context.Context) (*ledger.Inspector, ledger.Storage, error) {
	storage, err := f.storage()
	if err != nil {
		return nil, storage, err
	}
	i, err := ledger.Inspect(ctx, storage)
	return i, storage, err
}

// ledgerVerify checks the ledger.
type ledgerVerify struct{ ledgerPlace }

func newLedgerVerify(c *kingpin.CmdClause) command {
	k := &ledgerVerify{}
	k.flags(c)
	return k.run
}

func (k *ledgerVerify) run(ctx context.Context, s streams) (err error) {
	i, storage, err := k.inspect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	problems := i.Verify(func(feed string, ids int) { fmt.Fprintf(s.out, "%s: %d ids checked\n", feed, ids) })
	for _, problem := range problems {
		fmt.Fprintf(s.errors, "cdr-exporter: %v\n", problem)
	}
	if len(problems) > 0 {
		fmt.Fprintf(s.errors, "cdr-exporter: the ledger in %s is damaged: restore a backup, or move it away and start anew (docs/ledger.md)\n", storage)
		return errSilent
	}
	fmt.Fprintf(s.out, "the ledger in %s is good\n", storage)
	return nil
}

// ledgerCompact makes the ledger smaller.
type ledgerCompact struct{ ledgerPlace }

func newLedgerCompact(c *kingpin.CmdClause) command {
	k := &ledgerCompact{}
	k.flags(c)
	return k.run
}

func (k *ledgerCompact) run(ctx context.Context, s streams) error {
	storage, err := k.storage()
	if err != nil {
		return err
	}
	before, after, err := ledger.Compact(ctx, storage)
	if errors.Is(err, ledger.ErrLocked) {
		return fmt.Errorf("stop the exporter first: %w", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "the ledger in %s took %s, now %s\n", storage, megabytes(before), megabytes(after))
	return nil
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
