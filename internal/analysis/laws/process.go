package laws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// longestPoll bounds a poll, in real time: the client waits a second or two before it asks again.
const longestPoll = time.Minute

// mostPolls bounds the polls until nothing is due. A long history takes many: one for each piece.
const mostPolls = 100

// clock is the time of a script. Only steps move it.
type clock struct{ micros atomic.Int64 }

func (c *clock) now() time.Time           { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) set(at time.Time)         { c.micros.Store(at.UnixMicro()) }
func (c *clock) advance(by time.Duration) { c.micros.Add(by.Microseconds()) }

// output is all that processes write, for people to read.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// process is the exporter with one feed: what internal/app wires, polled step by step.
type process struct {
	ledger *ledger.Ledger
	source *collector.Source
	info   *collector.FeedInfo
	loop   *collector.Loop
	self   *metrics.SelfMetrics
	hook   http.Handler // of records that are posted

	folder  string
	commits int64
	killAt  int64 // the commit at which the process dies; 0: none
	durable bool  // it dies when that commit is durable
	dead    bool
}

var errKilled = errors.New("killed")

// start starts a process on a ledger.
func (b *bench) start(folder string, w world, c *clock, history time.Duration, kill *kill) (_ *process, err error) {
	p := &process{
		folder: folder, self: metrics.NewSelfMetrics(c.now, false),
	}
	if kill != nil {
		p.killAt, p.durable = kill.commit, kill.durable
	}
	logger := slog.New(slog.NewTextHandler(b.output, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if p.ledger, err = ledger.Open(context.Background(), ledger.Settings{
		Storage: ledger.Storage{Folder: folder}, Now: c.now, Reserve: 1 << 20,
		Options: metrics.Options{SeriesLimit: 100_000, BypassWindow: time.Hour},
		Tuning:  ledger.Tuning{Privacy: cdr.DefaultPolicy()},
	}); err != nil {
		return nil, err
	}
	s, err := b.configure(w.block(), history)
	if err != nil {
		return nil, errors.Join(err, p.ledger.Close())
	}
	settings := collector.SourceSettings{
		Name: s.Name, Now: c.now, Derive: p.ledger.Derive,
		Notified: p.self.Source(s.Name),
	}
	settings.Transport, settings.Logger, settings.UserAgent, settings.RequestsPerMinute = w, logger, "cdr-exporter",
		1_000_000
	settings.LoadSecret = func(ctx context.Context) ([]byte, error) { return p.ledger.LoadSecret(ctx, s.Name) }
	settings.ReplaceSecret = func(ctx context.Context, spend func() ([]byte, error)) error {
		return p.ledger.ReplaceSecret(ctx, s.Name, spend)
	}
	if p.source, err = b.provider.Open(s.Provider, settings); err != nil {
		return nil, errors.Join(err, p.ledger.Close())
	}
	p.info = &p.source.Feeds[0]
	feedSettings := collector.FeedSettings{
		Source: s.Name, Info: p.info, Clock: collector.NewScriptClock(c.now),
		Metrics: p.self.Feed(s.Name, p.info.Name), Logger: logger,
		Advise: p.source.Advise, ThrottledUntil: p.source.ThrottledUntil, Random: func() float64 { return 0 },
		Paused: p.ledger.Paused,
	}
	spec := app.SpecOf(s, p.info)
	if p.info.ActiveCalls == nil {
		state, err := p.ledger.Feed(context.Background(), spec)
		if err != nil {
			return nil, errors.Join(err, p.ledger.Close())
		}
		feedSettings.Ledger, feedSettings.Queue = &mortal{state, p}, state
	}
	p.loop = collector.NewLoop(feedSettings)
	if p.info.Webhook != nil {
		p.hook = p.info.Webhook.Handler(collector.Inbox{
			Commit: p.loop.Commit,
			Enqueue: func(ctx context.Context, items []work.Item) (int, error) {
				return p.ledger.Enqueue(ctx, spec, items)
			},
		})
	}
	return p, nil
}

// poll polls once and returns the wait until the next poll. A failure of the feed's is in its status.
func (p *process) poll() (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), longestPoll)
	defer cancel()
	wait, _ = p.loop.Poll(ctx)
	switch {
	case p.dead:
		return 0, errKilled
	case ctx.Err() != nil:
		return 0, errors.New("a poll doesn't end")
	}
	return wait, nil
}

// close ends the process. One that was killed leaves the image of its ledger.
func (p *process) close() error {
	p.loop.Stop()
	p.source.Close()
	return p.ledger.Close()
}

// mortal is the feed's ledger, until the process dies at a commit.
type mortal struct {
	*ledger.Feed

	process *process
}

// Commit implements collector.Ledger.
func (m *mortal) Commit(ctx context.Context, page *counting.Page) (counting.Result, error) {
	p := m.process
	p.commits++
	n := p.commits
	if p.dead {
		return counting.Result{}, errKilled
	}
	if n == p.killAt && !p.durable {
		return counting.Result{}, p.die()
	}
	result, err := m.Feed.Commit(ctx, page)
	if err == nil && n == p.killAt {
		return counting.Result{}, p.die()
	}
	return result, err
}

// image is where the ledger of a process that was killed is, as it was at that instant.
func (p *process) image() string { return p.folder + "-killed" }

func (p *process) die() error {
	p.dead = true
	if err := os.Mkdir(p.image(), 0o700); err != nil {
		return err
	}
	for _, name := range []string{"ledger.db", "ledger.db-wal"} {
		if err := copyFile(filepath.Join(p.image(), name), filepath.Join(p.folder, name)); err != nil {
			return err
		}
	}
	return errKilled
}

func copyFile(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close() //nolint:errcheck // it was only read
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// result is what was counted, by the text of a series without `late`.
type result map[string]float64

// result shows everything and reads it.
func (p *process) result() (result, error) {
	if err := p.ledger.Show(context.Background()); err != nil {
		return nil, err
	}
	out := make(result)
	for _, family := range p.ledger.Store().Snapshot().Families {
		if family.Def.Kind == metrics.Gauge {
			continue
		}
		names := family.Def.LabelNames()
		for i := range family.Points {
			point := &family.Points[i]
			var labels []string
			for j, name := range names {
				if name != "late" && name != "source" && name != "provider" && name != "feed" {
					labels = append(labels, name+"="+point.Labels.Values[j])
				}
			}
			key := family.Def.Name + "{" + strings.Join(labels, ",") + "}"
			if h := point.Hist; h != nil {
				out[key+" count"] += float64(h.Count)
				out[key+" sum"] += family.Def.InUnit(h.Sum)
			} else {
				out[key] += point.Value
			}
		}
	}
	return out, nil
}

// sum adds up the series of a metric.
func (r result) sum(metric string) (sum float64) {
	for key, value := range r {
		if strings.HasPrefix(key, metric+"{") {
			sum += value
		}
	}
	return sum
}

// trouble is what the feed says of itself; empty: all is well.
func (p *process) trouble() string {
	if s := p.loop.Status(); s.State == collector.StateError {
		return s.LastError
	}
	return ""
}

// selfMetrics are the exporter's own metrics by name, added up.
func (p *process) selfMetric(name, label string) (sum float64) {
	for _, family := range p.self.Snapshot().Families {
		if family.Def.Name != name {
			continue
		}
		for i := range family.Points {
			if label == "" || strings.Contains(fmt.Sprint(family.Points[i].Labels.Values), label) {
				sum += family.Points[i].Value
			}
		}
	}
	return sum
}
