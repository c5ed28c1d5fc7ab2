package main

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
	"github.com/cdr-exporter/cdr-exporter/tools/harness"
)

// pace reads all feeds every second. The last leg of a call is published within four seconds of the
// first one.
var pace = harness.Pace{Interval: "1s", Lookback: "1h", Settle: "8s", WholeAfter: "20s"}

// environment is what the exporter is connected to: simulated accounts and an OTLP endpoint.
type environment struct {
	*harness.Accounts

	sink *otlpsink.Sink
	// cut says that providers reset all connections.
	cut atomic.Bool
}

// open starts all of it. After an error nothing stays open.
func (e *environment) open(seed uint64) (err error) {
	faults := simulator.NewFaults(seed)
	faults.Rate("", 0.01, simulator.Transient()...)
	faults.Hook(func(string) simulator.Fault {
		if e.cut.Load() {
			return simulator.Reset
		}
		return simulator.NoFault
	})
	if e.Accounts, err = harness.Start(harness.Settings{
		Seed: seed, From: time.Now().Add(-time.Minute), PerSecond: 0.5, Late: 12 * time.Second, Faults: faults,
	}); err != nil {
		return err
	}
	if e.sink, err = otlpsink.Start(otlpsink.Settings{}); err != nil {
		e.Accounts.Close()
	}
	return err
}

// Close stops all of it.
func (e *environment) Close() {
	e.Accounts.Close()
	e.sink.Close()
}

// fail makes providers and the OTLP endpoint fail at times, until the context ends.
func (e *environment) fail(ctx context.Context, random *rand.Rand) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ctx.Err() == nil {
		e.cut.Store(random.IntN(5) == 0)
		e.sink.ClearFailures()
		switch random.IntN(5) {
		case 0:
			e.sink.Fail(otlpsink.Reply{Status: 503, Times: 1 + random.IntN(3)})
		case 1:
			e.sink.Fail(otlpsink.Reply{OnlyLogs: true, Status: 503, Accept: true, Times: 1}) // the answer is lost
		case 2:
			e.sink.Fail(otlpsink.Reply{OnlyLogs: true, Drop: true})
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	e.cut.Store(false)
	e.sink.ClearFailures()
}
