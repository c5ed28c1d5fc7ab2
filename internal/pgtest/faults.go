package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/procfs"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// Standby starts a synchronous standby. After that, a commit on c waits until the standby has it on
// its disk too.
func (c *Cluster) Standby(tb testing.TB, settings ...string) *Cluster {
	tb.Helper()
	s, err := newCluster(c.password)
	require.NoError(tb, err)
	tb.Cleanup(s.Close)
	source := strings.Replace(c.dsn("postgres", "postgres"), "?", "?application_name=standby&", 1)
	require.NoError(tb, s.run("pg_basebackup", "-D", "data", "-d", source, "-X", "stream", "-c", "fast", "-N", "-R",
		"-C", "-S", "standby"))
	// a promotion waits for it
	require.NoError(tb, s.serve(append([]string{"wal_retrieve_retry_interval = '100ms'"}, settings...)))
	require.NoError(tb, execute(c.Admin(), "ALTER SYSTEM SET synchronous_standby_names = 'standby'",
		"SELECT pg_reload_conf()"))
	require.NoError(tb, until(func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, c.Admin())
		if err != nil {
			return err
		}
		var state string
		err = conn.QueryRow(ctx, "SELECT sync_state FROM pg_stat_replication").Scan(&state)
		if err == nil && state != "sync" {
			err = fmt.Errorf("the standby is %s, not sync", state)
		}
		return errors.Join(err, conn.Close(ctx))
	}))
	return s
}

// Promote makes a standby a primary, and returns when it accepts writes. The former primary doesn't
// learn of it: kill it or cut it off.
func (c *Cluster) Promote(tb testing.TB) { tb.Helper(); require.NoError(tb, c.control("promote")) }

// Restart stops the server if it runs, and starts it again on the same address. The mode is
// pg_ctl's: "fast" cuts clients off and writes everything to disk; after "immediate" the server has
// to recover.
func (c *Cluster) Restart(tb testing.TB, mode string) {
	tb.Helper()
	require.NoError(tb, c.control("restart", "-m", mode))
}

// Kill kills all processes of the server at once, as a crash of its machine would. Restart starts
// it again.
func (c *Cluster) Kill(tb testing.TB) {
	tb.Helper()
	family, err := c.signal(syscall.SIGKILL)
	require.NoError(tb, err)
	require.NoError(tb, until(func(context.Context) error {
		for _, pid := range family {
			if _, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil {
				return fmt.Errorf("process %d still runs", pid)
			}
		}
		return nil
	}))
	// If nothing reaps orphans, the next start would take the dead server for a running one.
	require.NoError(tb, os.Remove(c.folder+"/data/postmaster.pid"))
}

// Pause stops all processes of the server. Connections stay open; new ones get no answer either.
func (c *Cluster) Pause(tb testing.TB) {
	tb.Helper()
	_, err := c.signal(syscall.SIGSTOP)
	require.NoError(tb, err)
}

// Resume ends a pause.
func (c *Cluster) Resume(tb testing.TB) {
	tb.Helper()
	_, err := c.signal(syscall.SIGCONT)
	require.NoError(tb, err)
}

// signal sends a signal to all processes of the server. It stops the postmaster first, so that it
// starts no child meanwhile.
func (c *Cluster) signal(s syscall.Signal) (family []int, err error) {
	if family = c.family(); family == nil {
		return nil, fmt.Errorf("%s: no server to signal", c.Addr)
	}
	_ = syscall.Kill(family[0], syscall.SIGSTOP) // the last signal says whether it is there
	family = c.family()
	for _, child := range family[1:] {
		_ = syscall.Kill(child, s) // it may have ended by itself
	}
	return family, syscall.Kill(family[0], s)
}

// CPU is the processor time of all processes of the server up to now, those that ended among them.
func (c *Cluster) CPU() (used time.Duration, err error) {
	const tick = time.Second / 100 // on every Linux
	for _, pid := range c.family() {
		found, err := procfs.NewProc(pid)
		if err != nil {
			continue // it ended, so the postmaster's times of ended children include it
		}
		stat, err := found.Stat()
		if err != nil {
			continue
		}
		//nolint:gosec // far from the limit
		used += time.Duration(stat.UTime+stat.STime)*tick + time.Duration(stat.CUTime+stat.CSTime)*tick
	}
	if used == 0 {
		return 0, fmt.Errorf("%s: no server", c.Addr)
	}
	return used, nil
}

// family are the process ids of the postmaster and its children; empty if it doesn't run.
func (c *Cluster) family() []int {
	file, _ := os.ReadFile(c.folder + "/data/postmaster.pid") // none: it doesn't run
	first, _, _ := strings.Cut(string(file), "\n")
	postmaster, err := strconv.Atoi(first)
	if err != nil {
		return nil
	}
	all := []int{postmaster}
	processes, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, name := range processes {
		stat, _ := os.ReadFile(name) // it may have ended
		var pid, parent int
		var state string
		if _, err := fmt.Sscanf(string(stat), "%d (postgres) %s %d", &pid, &state, &parent); err == nil &&
			parent == postmaster {
			all = append(all, pid)
		}
	}
	return all
}

// until waits, for a minute at most, until condition returns no error.
func until(condition func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited a minute: %w", err)
		case <-tick.C:
		}
	}
}
