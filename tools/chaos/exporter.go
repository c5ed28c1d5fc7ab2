package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

// exporter is a process that is restarted whenever it was ended.
type exporter struct {
	file, config, name string
	dsn                string        // file with the database's DSN; empty with SQLite
	wire               *pgtest.Proxy // to the database; nil with SQLite
	disk               string        // the small file system of the ledger; empty: it has none
	random             *rand.Rand
	did                map[string]int // see round.did

	address string // address of its metrics
	*program.Process
}

// start starts the process.
func (x *exporter) start() (err error) {
	if x.address == "" {
		if x.address, err = simulator.FreeAddress(context.Background()); err != nil {
			return err
		}
	}
	x.Process, err = program.Start(filepath.Dir(x.config), x.name, x.command("run", "--web.listen-address="+x.address))
	return err
}

// command is a command of the exporter, without this machine's environment variables that it would
// read.
func (x *exporter) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), x.file, append(args, "--config.file="+x.config)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal's interrupt must not reach it
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "CDR_DSN_FILE=" + x.dsn}
	return cmd
}

// suffer does one thing after the other to the process until no kill is allowed or the context
// ends, and leaves it running.
func (x *exporter) suffer(ctx context.Context, allowed func() bool) error {
	for ctx.Err() == nil {
		// Replicas live longer, because feeds only move to another one when a lease is over.
		life := time.Duration(x.random.ExpFloat64() * float64(700*time.Millisecond))
		hold := time.Duration(x.random.IntN(2000)) * time.Millisecond
		if x.wire != nil {
			life *= 6
			if x.random.IntN(3) == 0 {
				hold += 10 * time.Second // longer than a lease
			}
		}
		err := x.wait(ctx, life)
		if err != nil || ctx.Err() != nil {
			return err
		}
		switch n := x.random.IntN(20); {
		case n < 16:
			if !allowed() {
				return nil
			}
			x.did["kill"]++
			x.Kill()
			err = x.start()
		case n == 16:
			x.did["stop"]++
			// A program only handles signals once it has started.
			err = errors.Join(x.wait(ctx, 2*time.Second), x.Stop(), x.start())
		case n >= 18 && x.disk != "":
			x.did["full disk"]++
			err = x.suffocate(ctx, hold, allowed)
		case n == 17 || x.wire == nil:
			x.did["pause"]++
			_ = x.Process.Process.Signal(syscall.SIGSTOP) // wait sees whether it has ended
			err = x.wait(ctx, hold)
			_ = x.Process.Process.Signal(syscall.SIGCONT)
		default:
			x.did["cut"]++
			// A program that can't reach its database when it starts ends.
			if err = x.wait(ctx, 2*time.Second); err != nil {
				return err
			}
			if n == 18 {
				x.wire.Cut()
			} else {
				x.wire.Stall() // held-back bytes arrive late
			}
			err = x.wait(ctx, hold)
			x.wire.Resume()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// suffocate fills the ledger's disk for a while. Every other time the process is killed meanwhile.
func (x *exporter) suffocate(ctx context.Context, hold time.Duration, allowed func() bool) error {
	filling := filepath.Join(x.disk, "filling")
	if err := fill(filling); err != nil {
		return err
	}
	err := x.wait(ctx, hold)
	if err == nil && x.random.IntN(2) == 0 && allowed() {
		x.did["kill"]++
		x.Kill()
		err = errors.Join(x.start(), x.wait(ctx, hold))
	}
	return errors.Join(err, os.Remove(filling))
}

// wait waits for a time, or until the context ends. It fails if the process ends meanwhile.
func (x *exporter) wait(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	select {
	case <-ctx.Done():
		return nil
	case <-x.Done:
		return x.Ended()
	}
}
