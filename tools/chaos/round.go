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
	kills, replicas int
	server          *pgtest.Cluster // nil: SQLite

	exporters []*exporter
	// allowed is how many kills are left, below zero once there are none.
	allowed atomic.Int64
	// calls is the number of calls at the end, delivered the number of log records received before
	// publication stopped.
	calls, delivered int
}

// run returns the differences at the end. The end of the context ends the kills early.
func (r *round) run(ctx context.Context) (differences []string, err error) {
	b := &fixture{ctx: context.WithoutCancel(ctx)}
	defer b.close(&err)
	if err := errors.Join(os.Mkdir(r.folder, 0o700), r.start(b, r.seed)); err != nil {
		return nil, err
	}
	storage, dsn := "path: ledger", ""
	if r.server != nil {
		storage, dsn = "postgres: {dsn_file: '${env:CDR_DSN_FILE}'}", r.server.Database(b)
	}
	config, err := r.configure(r.folder, storage)
	if err != nil {
		return nil, err
	}
	disk := ""
	if r.server == nil {
		if disk, err = mountDisk(b, filepath.Join(r.folder, "ledger")); err != nil {
			return nil, err
		}
	}
	for i := range max(1, r.replicas) {
		x := &exporter{
			file: r.program, config: config, name: fmt.Sprint("exporter-", i+1), disk: disk,
			random: rand.New(rand.NewPCG(r.seed, uint64(i))), did: make(map[string]int),
		}
		if r.server != nil {
			x.wire, x.dsn = pgtest.NewProxy(b, r.server.Addr), filepath.Join(r.folder, x.name+".dsn")
			if err := os.WriteFile(x.dsn, []byte(pgtest.At(dsn, x.wire.Addr)+"&application_name="+x.name),
				0o600); err != nil {
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
