package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

// A day in which calls come and are read again as the read plan says, sixty times as fast: an
// interval of a second, a lookback of 48 minutes. The plan's reads keep their proportions.
const (
	scaledDay      = 24 * time.Minute
	scaledHistory  = time.Hour              // 1.25 lookbacks
	scaledScrape   = 500 * time.Millisecond // 30 s of the day
	scaledStart    = 2 * time.Minute        // for the first read of the history
	lateShare      = 0.01
	revisedShare   = 0.01
	longestBelated = 40 * time.Minute // of late rows and revisions
)

// life is what a peer used for a part of the day.
type life struct {
	name string
	// exporter is the CPU seconds of cdr-exporter, or of the loader and prometheus-sql-exporter.
	// database is the CPU seconds of the database server.
	exporter, database float64
	// fresh is the number of new rows, read the number of all rows.
	fresh, read int
	// calls is what the peer shows at the end, truth how many distinct rows it was given.
	calls, truth int
}

// compareLife runs the peers in a folder on a part of the scaled day: cdr-exporter with both engines at
// the same time, then PostgreSQL with an exporter on the requests that the first one made.
func compareLife(ctx context.Context, s *settings, folder string, progress io.Writer) ([]life, error) {
	began := time.Now().Truncate(time.Second)
	rows, err := makeLife(ctx, began, scaledHistory+scaledStart+s.Life, s.LifeCalls)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "%s of a day of %s: %d rows\n", s.Life, scaledDay, len(rows))
	cluster, err := pgtest.Run()
	if err != nil {
		return nil, err
	}
	defer cluster.Close()
	lite := &lifeRun{settings: *s, folder: folder + "/lite", config: "cdr-exporter-day.yaml"}
	post := &lifeRun{
		settings: *s, folder: folder + "/post", config: "cdr-exporter-day-postgres.yaml", cluster: cluster,
	}
	failed := make(chan error, 2)
	for _, x := range []*lifeRun{lite, post} {
		go func() { failed <- x.run(ctx, rows) }()
	}
	if err := errors.Join(<-failed, <-failed); err != nil {
		return nil, err
	}
	fmt.Fprintln(progress, "the same requests, into PostgreSQL with an exporter")
	tables, err := pgtest.Run()
	if err != nil {
		return nil, err
	}
	defer tables.Close()
	peer, err := replayLife(ctx, s, folder+"/tables", tables, lite)
	lite.used.name, post.used.name, peer.name = "cdr-exporter, SQLite", "cdr-exporter, PostgreSQL",
		"PostgreSQL with prometheus-sql-exporter"
	return []life{lite.used, post.used, peer}, err
}

// makeLife makes calls that start in a span around a time, with a number of them a scaled day. The
// provider shows a call when it has ended; some later, and some a second time with another duration.
func makeLife(ctx context.Context, at time.Time, length time.Duration, perDay int) ([]row, error) {
	from := at.Add(-scaledHistory)
	n := int(float64(perDay) * length.Seconds() / scaledDay.Seconds())
	made, err := makeRows(ctx, from.Add(-30*time.Hour), from.Add(length-30*time.Hour), n)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(7, 7))
	belated := func() time.Duration { return time.Duration(rng.Int64N(int64(longestBelated))) }
	rows := make([]row, 0, len(made)+len(made)/50)
	for i := range made {
		r := made[i]
		r.start = r.start.Add(30 * time.Hour)
		duration := rng.IntN(3)
		if r.json, err = scaled(r.json, r.start, duration); err != nil {
			return nil, err
		}
		r.from = r.start.Add(time.Duration(duration) * time.Second)
		if rng.Float64() < lateShare {
			r.from = r.from.Add(belated())
		}
		if rng.Float64() < revisedShare {
			second := r
			second.from = r.from.Add(belated())
			r.until = second.from
			if second.json, err = scaled(r.json, r.start, duration+1); err != nil {
				return nil, err
			}
			rows = append(rows, second)
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b row) int { return a.start.Compare(b.start) })
	return rows, nil
}

// scaled is a row with other times.
func scaled(raw []byte, start time.Time, seconds int) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	set := func(name string, value any) {
		if old, found := fields[name]; found && string(old) != "null" {
			fields[name], _ = json.Marshal(value) // a time or a number
		}
	}
	set("inviteDateTime", start)
	set("startDateTime", start)
	set("failureDateTime", start)
	set("endDateTime", start.Add(time.Duration(seconds)*time.Second))
	set("duration", seconds)
	return json.Marshal(fields)
}

// lifeRun runs cdr-exporter on a part of the scaled day.
type lifeRun struct {
	settings
	folder, config string
	cluster        *pgtest.Cluster // nil: SQLite
	used           life

	provider *provider
	history  int // requests that belong to the first read of the history
}

func (x *lifeRun) run(ctx context.Context, rows []row) (err error) {
	if x.provider, err = startProvider(x.folder, rows); err != nil {
		return err
	}
	defer x.provider.Close()
	address, err := simulator.FreeAddress(ctx)
	if err != nil {
		return err
	}
	dsn := filepath.Join(x.folder, "dsn.txt")
	env := append(x.provider.env(), "PEER_DATA="+x.folder+"/ledger", "PEER_DSN_FILE="+dsn)
	if x.cluster != nil {
		if err := os.WriteFile(dsn, []byte(x.cluster.DSN()), 0o600); err != nil {
			return err
		}
	}
	p, err := start(ctx, x.folder, env, x.Exporter, "run", "--config.file="+filepath.Join(x.Configs, x.config),
		"--web.listen-address="+address, "--log.level=warn")
	if err != nil {
		return err
	}
	defer p.Kill()
	return x.measure(ctx, p, "http://"+address+"/metrics")
}

func (x *lifeRun) measure(ctx context.Context, p *process, metrics string) error {
	calls := 0
	counted := func() error {
		scrape, err := program.Get(ctx, metrics)
		if err != nil {
			return err
		}
		calls = sumOf(scrape, "cdr_calls_total{", "")
		if _, distinct := x.provider.seen(); calls == 0 || calls != distinct {
			return fmt.Errorf("%d calls of %d", calls, distinct)
		}
		return nil
	}
	if err := p.Until(ctx, 100*time.Millisecond, counted); err != nil {
		return fmt.Errorf("read the history: %w", err)
	}
	if took := time.Since(p.Began); took > scaledStart {
		return fmt.Errorf("the first read of the history took %s", took)
	}
	x.provider.mu.Lock()
	x.history = len(x.provider.asked)
	x.provider.mu.Unlock()
	before, err := markNow(x.provider, x.cluster, p)
	if err != nil {
		return err
	}
	end := time.Now().Add(x.Life)
	err = p.Until(ctx, scaledScrape, func() error {
		if _, err := program.Get(ctx, metrics); err != nil {
			return err
		}
		if time.Now().Before(end) {
			return errors.New("the part of the day isn't over")
		}
		return nil
	})
	if err != nil {
		return err
	}
	after, err := markNow(x.provider, x.cluster, p)
	if err != nil {
		return err
	}
	x.used = after.since(before)
	if err := p.Until(ctx, 50*time.Millisecond, counted); err != nil {
		return fmt.Errorf("count the rows: %w", err)
	}
	x.used.calls, x.used.truth = calls, calls
	return nil
}

// mark is the processor time of a peer, and the rows that it was given, up to an instant.
type mark struct {
	exporter, database time.Duration
	read, distinct     int
}

// markNow marks what a peer's processes have used. The cluster is nil without a database.
func markNow(p *provider, cluster *pgtest.Cluster, processes ...*process) (m mark, err error) {
	m.read, m.distinct = p.seen()
	for _, one := range processes {
		used, failed := one.used()
		m.exporter, err = m.exporter+used.cpu, errors.Join(err, failed)
	}
	if err == nil && cluster != nil {
		m.database, err = cluster.CPU()
	}
	return m, err
}

// since is what the peer used since an earlier mark.
func (m mark) since(earlier mark) life {
	return life{
		exporter: (m.exporter - earlier.exporter).Seconds(), database: (m.database - earlier.database).Seconds(),
		read: m.read - earlier.read, fresh: m.distinct - earlier.distinct,
	}
}

// replayLife gives the requests of a run again, at their times, to a loader, and has an exporter
// query the table as often as the scrapes of the day.
func replayLife(
	ctx context.Context, s *settings, folder string, cluster *pgtest.Cluster, of *lifeRun,
) (used life, err error) {
	schema, err := os.ReadFile(filepath.Join(s.Configs, "postgres.sql"))
	if err != nil {
		return used, err
	}
	conn, err := pgx.Connect(ctx, cluster.DSN())
	if err != nil {
		return used, err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost with it
	if _, err := conn.Exec(ctx, string(schema)); err != nil {
		return used, err
	}
	provider, err := startProvider(folder, of.provider.rows)
	if err != nil {
		return used, err
	}
	defer provider.Close()
	exporter, metrics, err := startSQLExporter(ctx, s, folder, cluster.DSN())
	if err != nil {
		return used, err
	}
	defer exporter.Kill()

	r := &replayRun{
		ctx: ctx, of: of, conn: conn, cluster: cluster, exporter: exporter, metrics: metrics,
		started: make(chan struct{}),
	}
	provider.mu.Lock()
	provider.replay, provider.before = slices.Clone(of.provider.asked), func(q request) { r.next(provider, q) }
	provider.mu.Unlock()
	self, err := os.Executable()
	if err != nil {
		return used, err
	}
	r.loader, err = start(ctx, folder, []string{loaderVariable + "=1"}, self, provider.BaseURL(), provider.ca,
		cluster.DSN())
	if err != nil {
		return used, err
	}
	close(r.started)
	select {
	case <-r.loader.Done:
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	state := r.loader.ProcessState
	if err := errors.Join(r.err, ctx.Err()); err != nil || !state.Success() {
		r.loader.Kill()
		return used, fmt.Errorf("the loader: %w", errors.Join(err, r.loader.Problem("ended")))
	}
	end, err := markNow(provider, cluster, exporter)
	if err != nil {
		return used, err
	}
	if r.scrapes == 0 {
		return used, errors.New("the replay made no scrape")
	}
	end.exporter += state.UserTime() + state.SystemTime()
	used = end.since(r.begin)
	used.truth = end.distinct
	return used, conn.QueryRow(ctx, "SELECT count(*) FROM calls").Scan(&used.calls)
}

// startSQLExporter starts prometheus-sql-exporter, and returns the address of its metrics.
func startSQLExporter(
	ctx context.Context, s *settings, folder, dsn string,
) (p *process, metrics string, err error) {
	config, err := os.ReadFile(filepath.Join(s.Configs, "sql-exporter.yaml"))
	if err != nil {
		return nil, "", err
	}
	file := filepath.Join(folder, "sql-exporter.yaml")
	err = os.WriteFile(file, []byte(strings.Replace(string(config), "PEER_DSN", dsn, 1)), 0o600)
	if err != nil {
		return nil, "", err
	}
	address, err := simulator.FreeAddress(ctx)
	if err != nil {
		return nil, "", err
	}
	metrics = "http://" + address + "/metrics"
	p, err = start(ctx, folder, nil, s.SQLExporter, "-config.file", file, "-web.listen-address", address)
	if err != nil {
		return nil, "", err
	}
	err = p.Until(ctx, 100*time.Millisecond, func() error {
		_, err := program.Get(ctx, metrics)
		return err
	})
	if err != nil {
		p.Kill()
	}
	return p, metrics, err
}

// replayRun is the state of a replay, and what the processes had used when the history was read.
type replayRun struct {
	ctx              context.Context //nolint:containedctx // of the run, for a callback
	of               *lifeRun
	conn             *pgx.Conn
	cluster          *pgtest.Cluster
	loader, exporter *process
	started          chan struct{} // closed when loader is set
	metrics          string

	mu             sync.Mutex // guards the fields below
	given, scrapes int
	due            time.Time
	begin          mark
	err            error
}

// next is called before each request of a replay, while the loader waits: it scrapes when it is
// time, and measures when the history was read.
func (r *replayRun) next(p *provider, q request) {
	<-r.started
	r.mu.Lock()
	defer r.mu.Unlock()
	r.given++
	switch {
	case r.given == r.of.history+1:
		// An operator's autovacuum has done this by then.
		_, err := r.conn.Exec(r.ctx, "VACUUM ANALYZE calls")
		// It found no rows when it started, and doesn't query again at once.
		err = errors.Join(err, r.exporter.Until(r.ctx, 100*time.Millisecond, r.scrape))
		r.due = q.at
		begin, failed := markNow(p, r.cluster, r.loader, r.exporter)
		r.begin, r.err = begin, errors.Join(r.err, err, failed)
	case r.given > r.of.history:
		for ; !r.due.After(q.at); r.due = r.due.Add(scaledScrape) {
			r.err = errors.Join(r.err, r.scrape())
			r.scrapes++
		}
	}
}

// scrape asks prometheus-sql-exporter for its metrics, which must have calls.
func (r *replayRun) scrape() error {
	metrics, err := program.Get(r.ctx, r.metrics)
	if err == nil && sumOf(metrics, "sql_calls{", `col="calls"`) == 0 {
		err = errors.New("prometheus-sql-exporter shows no calls")
	}
	return err
}
