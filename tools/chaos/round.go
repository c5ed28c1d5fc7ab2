package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
)

// round is a number of kills of the exporters of one ledger, and the other faults meanwhile.
type round struct {
	environment

	folder, program string
	seed            uint64
	kills, replicas int // no replicas: one process over SQLite

	exporters []*exporter
	// allowed is how many kills are left, below zero once there are none.
	allowed atomic.Int64
	// calls is the number of calls at the end, delivered the number of log records received before
	// publication stopped.
	calls, delivered int
}

// run returns the differences at the end. The end of the context ends the kills early.
func (r *round) run(ctx context.Context) (differences []string, err error) {
	if err := os.Mkdir(r.folder, 0o700); err != nil {
		return nil, err
	}
	if err := r.open(r.seed); err != nil {
		return nil, err
	}
	defer r.Close()
	storage, disk := "path: ledger", ""
	var server *pgtest.Cluster
	if r.replicas > 0 {
		storage = "postgres: {dsn_file: '${env:CDR_DSN_FILE}'}"
		if server, err = pgtest.Run("fsync = off"); err != nil { // no power failures here
			return nil, err
		}
		defer server.Close()
	} else {
		folder := filepath.Join(r.folder, "ledger")
		unmount, err := mountDisk(folder)
		if err != nil {
			return nil, err
		}
		if unmount != nil {
			disk = folder
			defer unmount()
		}
	}
	otlp := "{endpoint: \"" + r.sink.URL() + "\", interval: 1s, shutdown_timeout: 2s}"
	config, err := r.Configure(r.folder, storage, otlp, pace)
	if err != nil {
		return nil, err
	}
	for i := range max(1, r.replicas) {
		x := &exporter{
			file: r.program, config: config, name: fmt.Sprint("exporter-", i+1), disk: disk,
			random: rand.New(rand.NewPCG(r.seed, uint64(i))), did: make(map[string]int),
		}
		if server != nil {
			if x.wire, err = pgtest.RunProxy(context.WithoutCancel(ctx), server.Addr); err != nil {
				return nil, err
			}
			defer x.wire.Close()
			x.dsn = filepath.Join(r.folder, x.name+".dsn")
			dsn := pgtest.At(server.DSN(), x.wire.Addr) + "&application_name=" + x.name
			if err := os.WriteFile(x.dsn, []byte(dsn), 0o600); err != nil {
				return nil, err
			}
		}
		if err := x.start(); err != nil {
			return nil, err
		}
		defer x.Kill()
		r.exporters = append(r.exporters, x)
	}
	if err := r.rage(ctx); err != nil {
		return nil, err
	}
	return r.compare(context.WithoutCancel(ctx))
}

// rage lets faults happen until all kills are done or the context ends. If an exporter ends by
// itself, that is an error.
func (r *round) rage(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	r.allowed.Store(int64(r.kills))
	errs := make([]error, len(r.exporters))
	var all sync.WaitGroup
	for i, x := range r.exporters {
		all.Go(func() {
			defer end()
			errs[i] = x.suffer(ctx, func() bool { return r.allowed.Add(-1) >= 0 })
		})
	}
	all.Go(func() { r.fail(ctx, rand.New(rand.NewPCG(r.seed, 1<<32))) })
	all.Wait()
	return errors.Join(errs...)
}

// did is how often each fault happened.
func (r *round) did() map[string]int {
	sum := make(map[string]int)
	for _, x := range r.exporters {
		for what, n := range x.did {
			sum[what] += n
		}
	}
	return sum
}
