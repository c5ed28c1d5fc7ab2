package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// ledgerFolder is where the ledger of a configuration is.
type ledgerFolder struct{ config string }

func (f *ledgerFolder) flags(c *kingpin.CmdClause) {
	c.Flag("config.file", "Configuration file, whose storage.path has the ledger.").Default("config.yaml").StringVar(&f.config)
}

func (f *ledgerFolder) path() (string, error) {
	c, err := app.LoadConfig(f.config, app.Providers())
	if err != nil {
		return "", err
	}
	return c.Storage.Path, nil
}

// inspect opens the ledger for reading, beside an exporter that may run.
func (f *ledgerFolder) inspect(ctx context.Context) (*ledger.Inspector, string, error) {
	folder, err := f.path()
	if err != nil {
		return nil, "", err
	}
	i, err := ledger.Inspect(ctx, folder)
	return i, folder, err
}

// ledgerVerify checks the ledger.
type ledgerVerify struct{ ledgerFolder }

func newLedgerVerify(c *kingpin.CmdClause) command {
	k := &ledgerVerify{}
	k.flags(c)
	return k
}

func (k *ledgerVerify) run(ctx context.Context, s streams) (err error) {
	i, folder, err := k.inspect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	problems := i.Verify(func(feed string, ids int) { fmt.Fprintf(s.out, "%s: %d ids checked\n", feed, ids) })
	for _, problem := range problems {
		fmt.Fprintf(s.errors, "cdr-exporter: %v\n", problem)
	}
	if len(problems) > 0 {
		fmt.Fprintf(s.errors, "cdr-exporter: the ledger in %s is damaged: restore a backup, or move it away and start anew (docs/ledger.md)\n", folder)
		return errSilent
	}
	fmt.Fprintf(s.out, "the ledger in %s is good\n", folder)
	return nil
}

// ledgerCompact makes the ledger smaller.
type ledgerCompact struct{ ledgerFolder }

func newLedgerCompact(c *kingpin.CmdClause) command {
	k := &ledgerCompact{}
	k.flags(c)
	return k
}

func (k *ledgerCompact) run(ctx context.Context, s streams) error {
	folder, err := k.path()
	if err != nil {
		return err
	}
	before, after, err := ledger.Compact(ctx, folder)
	if errors.Is(err, ledger.ErrLocked) {
		return fmt.Errorf("stop the exporter first: %w", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "the ledger in %s took %s, now %s\n", folder, megabytes(before), megabytes(after))
	return nil
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
