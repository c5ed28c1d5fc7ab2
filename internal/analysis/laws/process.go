package laws

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// noWaits stand for the waits between the retries of a request, which teach nothing here.
var noWaits = work.Backoff{First: 1, Last: 1}

// start starts the exporter.
func (r *run) start() (err error) {
	self := metrics.NewSelfMetrics(r.now, false)
	if r.ledger, err = ledger.Open(context.Background(), ledger.Settings{
		Storage: ledger.Storage{Folder: r.folder, Unsynced: true}, Now: r.now, Reserve: 1 << 20,
		Options: metrics.Options{SeriesLimit: 100_000},
		Tuning:  ledger.Tuning{Privacy: cdr.DefaultPolicy()},
	}); err != nil {
		return err
	}
	settings := collector.SourceSettings{Now: r.now, Derive: r.ledger.Derive, Notified: self.Source(sourceName)}
	settings.Transport, settings.Waits, settings.Logger = r.world, noWaits, r.logger
	settings.LoadSecret = func(ctx context.Context) ([]byte, error) { return r.ledger.LoadSecret(ctx, sourceName) }
	settings.ReplaceSecret = func(ctx context.Context, spend func() ([]byte, error)) error {
		return r.ledger.ReplaceSecret(ctx, sourceName, spend)
	}
	s, source, err := r.openSource(r.world.block(), r.history, settings)
	if err != nil {
		return errors.Join(err, r.ledger.Close())
	}
	r.source = source
	info := &source.Feeds[0]
	spec := app.SpecOf(s, info)
	feedSettings := collector.FeedSettings{
		Source: s.Name, Info: info, Clock: collector.NewScriptClock(r.now), Metrics: self.Feed(s.Name, info.Name),
		Logger: settings.Logger, Advise: source.Advise, ThrottledUntil: source.ThrottledUntil,
		Random: func() float64 { return 0 }, Paused: r.ledger.Paused,
	}
	if info.ActiveCalls == nil {
		state, err := r.ledger.Feed(context.Background(), spec)
		if err != nil {
			return errors.Join(err, r.ledger.Close())
		}
		feedSettings.Ledger = &mortal{state, r}
	}
	r.loop = collector.NewLoop(feedSettings)
	if info.Webhook != nil {
		r.hook = info.Webhook.Handler(collector.Inbox{
			Commit: r.loop.CommitPosted,
			Enqueue: func(ctx context.Context, items []work.Item) (int, error) {
				return r.ledger.Enqueue(ctx, spec, items)
			},
		})
	}
	return nil
}

// stop ends the process. One that was killed leaves the image of its ledger.
func (r *run) stop() error {
	r.loop.Stop()
	r.source.Close()
	return r.ledger.Close()
}

// restart starts a process that was killed on its ledger, as it was at that instant.
func (r *run) restart() error {
	if err := r.stop(); err != nil {
		return err
	}
	r.folder, r.dead, r.script.kill = r.image(), false, nil
	if err := r.start(); err != nil {
		return err
	}
	return r.world.show()
}

// mortal is the feed's ledger, until the process dies at a commit.
type mortal struct {
	*ledger.Feed

	run *run
}

// Commit implements collector.Ledger.
func (m *mortal) Commit(ctx context.Context, page *counting.Page) (result counting.Result, err error) {
	r := m.run
	r.commits++
	dies := r.script.kill != nil && r.script.kill.commit == r.commits
	switch {
	case r.dead:
		return result, errKilled
	case !dies || r.script.kill.durable:
		result, err = m.Feed.Commit(ctx, page)
	}
	if err == nil && dies {
		return counting.Result{}, r.die()
	}
	return result, err
}

var errKilled = errors.New("killed")

// image is where the ledger of a process that was killed is.
func (r *run) image() string { return r.folder + "-killed" }

func (r *run) die() error {
	r.dead = true
	err := os.Mkdir(r.image(), 0o700)
	for _, name := range []string{"ledger.db", "ledger.db-wal"} {
		err = errors.Join(err, copyFile(filepath.Join(r.image(), name), filepath.Join(r.folder, name)))
	}
	return errors.Join(errKilled, err)
}

func copyFile(to, from string) error {
	content, err := os.ReadFile(from)
	return errors.Join(err, os.WriteFile(to, content, 0o600))
}
