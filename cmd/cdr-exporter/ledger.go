package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

func openStorage(file string) (ledger.Storage, error) {
	c, _, err := app.LoadConfig(app.Settings{ConfigFile: file}, true)
	if err != nil {
		return ledger.Storage{}, err
	}
	return app.Storage(c)
}

// ledgerCommand defines a command on the ledger of a configuration. A signal ends the process: a
// large ledger takes minutes, and a kill loses nothing.
func ledgerCommand(run func(context.Context, ledger.Storage, streams) error) func(*kingpin.CmdClause) command {
	return func(c *kingpin.CmdClause) command {
		file := configFlag(c)
		return func(ctx context.Context, s streams) error {
			signal.Reset(syscall.SIGINT, syscall.SIGTERM) // before anything is read
			storage, err := openStorage(*file)
			if err != nil {
				return err
			}
			return run(ctx, storage, s)
		}
	}
}

// ledgerReader defines a command that opens the ledger for reading, while an exporter may run.
func ledgerReader(run func(*ledger.Inspector, ledger.Storage, streams) error) func(*kingpin.CmdClause) command {
	return ledgerCommand(func(ctx context.Context, storage ledger.Storage, s streams) error {
		i, err := storage.Inspect(ctx)
		if err != nil {
			return err
		}
		return errors.Join(run(i, storage, s), i.Close())
	})
}

func showLedger(i *ledger.Inspector, storage ledger.Storage, s streams) error {
	feeds, err := i.Feeds()
	if err != nil {
		return err
	}
	outbox, err := i.Outbox()
	if err != nil {
		return err
	}
	where := storage.String()
	if size, err := i.Size(); err == nil { // the size of a database is unknown
		where += ": " + megabytes(size)
	}
	return printText(s.out, "ledger.tmpl", map[string]any{"Where": where, "Outbox": outbox, "Feeds": feeds})
}

func verifyLedger(i *ledger.Inspector, storage ledger.Storage, s streams) error {
	problems := i.Verify(func(feed string, ids int) { fmt.Fprintf(s.out, "%s: %d ids checked\n", feed, ids) })
	for _, problem := range problems {
		fmt.Fprintf(s.errors, "cdr-exporter: %v\n", problem)
	}
	if len(problems) > 0 {
		return fmt.Errorf("the ledger in %s is damaged: restore a backup, or move it away and start with a "+
			"new one (docs/ledger.md)", storage)
	}
	fmt.Fprintf(s.out, "the ledger in %s is intact\n", storage)
	return nil
}

func compactLedger(ctx context.Context, storage ledger.Storage, s streams) error {
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

func newLedgerCopy(c *kingpin.CmdClause) command {
	from := c.Flag("from", "Configuration file whose storage contains the ledger.").Required().String()
	to := c.Flag("to", "Configuration file whose storage receives it: an empty folder, or an empty PostgreSQL schema.").
		Required().String()
	return func(ctx context.Context, s streams) error { return copyLedger(ctx, *from, *to, s) }
}

func copyLedger(ctx context.Context, fromFile, toFile string, s streams) error {
	signal.Reset(syscall.SIGINT, syscall.SIGTERM) // a copy is one transaction; see ledgerCommand
	from, err := openStorage(fromFile)
	if err != nil {
		return err
	}
	to, err := openStorage(toFile)
	if err != nil {
		return err
	}
	bar, total := newMeter(s.errors), int64(0)
	err = ledger.Copy(ctx, from, to, func(table string, done, of int64) {
		if done == 0 {
			total += of
			bar.step(table, of, "rows")
		}
		bar.set(done)
	})
	bar.end()
	if err != nil {
		return fmt.Errorf("nothing was copied: %w", err)
	}
	fmt.Fprintf(s.out, "copied %d rows from %s to %s: start the exporter with %s now, and never again with "+
		"the old one\n", total, from, to, toFile)
	return nil
}
