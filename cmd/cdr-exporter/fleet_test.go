package main_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	dto "github.com/prometheus/client_model/go"

	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// fleet is several replicas of the exporter over one database, each with a separate connection
// through a proxy.
type fleet struct {
	*site
	config           string
	primary, standby *pgtest.Cluster
	writing          *pgtest.Cluster // the one that takes writes
	feeds            int             // how many there are
	webhook          string          // configuration of the listeners for notifications; empty: there are none
	live             []*replica
	started          int
	watch            *watch
}

// replica is one exporter of a fleet.
type replica struct {
	*exporter
	name string // application_name of its connections
	hook string // where it listens for notifications
	wire *pgtest.Proxy
}

// newFleet is one without replicas. Every one reads the configuration file, whose storage is fleetStorage.
func newFleet(at *site, primary, standby *pgtest.Cluster) *fleet {
	if c, err := pgx.ParseConfig(primary.DSN()); err != nil {
		at.t.Fatal(err)
	} else {
		at.vault.hide("the database's password", c.Password)
	}
	return &fleet{
		site: at, config: at.path("config.yaml"), primary: primary, standby: standby, writing: primary,
		watch: newWatch(at.t),
	}
}

// fleetStorage is the storage of every replica in the one configuration file.
const fleetStorage = "postgres: {dsn_file: '${env:CDR_DSN_FILE}'}"

// dsn is the DSN of the database through a proxy, whichever of the two servers is primary.
func (f *fleet) dsn(name string, wire *pgtest.Proxy) string {
	return pgtest.At(f.primary.DSN(), wire.Addr, f.standby.Addr) +
		"&target_session_attrs=read-write&application_name=" + name
}

// start starts n more replicas at once.
func (f *fleet) start(n int) []*replica {
	f.t.Helper()
	more := make([]*replica, n)
	for i := range more {
		f.started++
		r := &replica{
			name: fmt.Sprintf("replica-%d", f.started), hook: free(f.t),
			wire: pgtest.NewProxy(f.t, f.primary.Addr),
		}
		f.keep(r.name+".dsn", f.dsn(r.name, r.wire))
		l := launch{config: f.config, env: map[string]string{"CDR_DSN_FILE": r.name + ".dsn"}}
		l.env["CDR_LEDGER_VERIFY"] = "" // of all feeds after each commit: most of the time would go into that
		if f.webhook != "" {
			l.args = []string{"--webhook.listen-address=" + r.hook, "--webhook.config.file=" + f.webhook}
		}
		r.exporter = start(f.t, f.vault, l)
		more[i] = r
	}
	for _, r := range more {
		r.serving()
		f.live = append(f.live, r)
		f.watch.add(r)
	}
	return more
}

// forget takes a replica out of those that are looked at.
func (f *fleet) forget(r *replica) {
	f.live = slices.DeleteFunc(f.live, func(o *replica) bool { return o == r })
	f.watch.remove(r)
}

// kill kills a replica, stop stops it as a service manager does.
func (f *fleet) kill(r *replica) { f.t.Helper(); f.forget(r); r.kill() }
func (f *fleet) stop(r *replica) { f.t.Helper(); f.forget(r); r.stop() }

// running fails if a replica has ended.
func (f *fleet) running() {
	f.t.Helper()
	for _, r := range f.live {
		r.running()
	}
}

// scrape are the metrics of all replicas together; a feed's own metrics come from its owner only.
func (f *fleet) scrape() families {
	f.t.Helper()
	all := make(families)
	for _, r := range f.live {
		shown := r.scrape()
		owned := shown.owned()
		for name, family := range shown {
			if all[name] == nil {
				all[name] = &dto.MetricFamily{Name: family.Name, Type: family.Type}
			}
			for _, m := range family.GetMetric() {
				labels := labelsOf(m)
				if feed := labels["feed"]; feed == "" || labels["provider"] != "" || owned[labels["source"]+"/"+feed] {
					all[name].Metric = append(all[name].Metric, m)
				}
			}
		}
	}
	return all
}

// owned are the feeds that the process reads, as SOURCE/FEED.
func (f families) owned() map[string]bool {
	owned := make(map[string]bool)
	for _, m := range f.series("cdr_exporter_feed_owned") {
		if labels := labelsOf(m); value(m) == 1 {
			owned[labels["source"]+"/"+labels["feed"]] = true
		}
	}
	return owned
}

// read waits until each feed has one owner, among these replicas.
func (f *fleet) read(by ...*replica) {
	f.t.Helper()
	eventually(f.t, "have an owner for each feed", func() error {
		f.running()
		owners := make(map[string]*replica)
		for _, r := range f.live {
			for feed := range r.scrape().owned() {
				if owners[feed] != nil || !slices.Contains(by, r) {
					return fmt.Errorf("%s is read by %s", feed, r.name)
				}
				owners[feed] = r
			}
		}
		if len(owners) != f.feeds {
			return fmt.Errorf("%d of %d feeds have an owner", len(owners), f.feeds)
		}
		return nil
	})
}

// inCommit does something while commits wait for the standby: they are durable in the primary.
func (f *fleet) inCommit(do func()) {
	f.t.Helper()
	f.standby.Pause(f.t)
	f.backends("wait for the standby", 3, `wait_event = 'SyncRep'`)
	do()
	f.standby.Resume(f.t)
}

// query reads one row of the database.
func (f *fleet) query(text string, into ...any) error {
	return f.withDatabase(func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, text).Scan(into...)
	})
}

func (f *fleet) withDatabase(do func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, f.writing.Admin())
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, conn), conn.Close(ctx))
}

// audit makes the database write down each change of a feed's owner and each commit, and who wrote it, from now on.
func (f *fleet) audit() {
	f.t.Helper()
	if err := f.withDatabase(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `
			CREATE TABLE audit (n BIGSERIAL PRIMARY KEY, at TIMESTAMPTZ DEFAULT clock_timestamp(),
				feed BIGINT, epoch BIGINT, seq BIGINT, owner TEXT, writer TEXT);
			CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
				INSERT INTO audit (feed, epoch, seq, owner, writer)
				VALUES (NEW.id, NEW.epoch, NEW.seq, NEW.owner, current_setting('application_name'));
				RETURN NULL;
			END $$;
			CREATE TRIGGER audit AFTER UPDATE ON feeds FOR EACH ROW
				WHEN (NEW.id <> 0 AND (OLD.epoch <> NEW.epoch OR OLD.seq <> NEW.seq)) EXECUTE FUNCTION audit()`)
		return err
	}); err != nil {
		f.t.Fatal(err)
	}
}

// unfenced expects that nobody has written a feed's row with an epoch that wasn't theirs: each
// epoch of a feed is of one replica, none comes back after another began, and no sequence number
// goes back.
func (f *fleet) unfenced() {
	f.t.Helper()
	for what, query := range map[string]string{
		"epochs with several writers": `SELECT count(*) FROM (
			SELECT 1 FROM audit GROUP BY feed, epoch HAVING count(DISTINCT writer) > 1) x`,
		"writes of an epoch that was over": `SELECT count(*) FROM (
			SELECT epoch, max(epoch) OVER (PARTITION BY feed ORDER BY n) AS newest FROM audit) x WHERE epoch < newest`,
		"sequence numbers that went back": `SELECT count(*) FROM (
			SELECT seq, lag(seq) OVER (PARTITION BY feed ORDER BY n) AS before FROM audit) x WHERE seq < before`,
	} {
		var found int
		require.NoError(f.t, f.query(query, &found))
		if found > 0 {
			f.t.Errorf("%d %s", found, what)
		}
	}
}

// backends waits until at least a number of the replicas' connections are in a state.
func (f *fleet) backends(what string, atLeast int, condition string) {
	f.t.Helper()
	eventually(f.t, what, func() error {
		f.running()
		n := 0
		err := f.query(`SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'replica-%' AND `+condition,
			&n)
		if err == nil && n < atLeast {
			err = fmt.Errorf("%d connections are", n)
		}
		return err
	})
}

// commits waits until more commits were made, by every one of these replicas.
func (f *fleet) commits(by ...*replica) {
	f.t.Helper()
	count := func() map[*replica]float64 {
		all := make(map[*replica]float64)
		for _, r := range by {
			h := r.scrape().series("cdr_exporter_ledger_commit_duration_seconds")
			all[r] = float64(h[0].GetHistogram().GetSampleCount())
		}
		return all
	}
	before := count()
	eventually(f.t, "commit", func() error {
		f.running()
		for r, n := range count() {
			if n <= before[r] {
				return errors.New(r.name + " commits nothing")
			}
		}
		return nil
	})
}

// pauseInCommit stops a replica in its tracks while it has a transaction open: what it locked stays locked.
func (f *fleet) pauseInCommit(r *replica) {
	f.t.Helper()
	f.forget(r)
	eventually(f.t, "pause "+r.name+" within a transaction", func() error {
		r.running()
		r.signal(syscall.SIGSTOP)
		open := 0
		err := f.query(`SELECT count(*) FROM pg_stat_activity WHERE application_name = '`+r.name+
			`' AND state LIKE 'idle in transaction%'`, &open)
		if err == nil && open > 0 {
			return nil
		}
		r.signal(syscall.SIGCONT)
		return errors.Join(err, errors.New("it had none open"))
	})
}

// verify recounts the ledger's invariants, in the database and in a copy, which is searched in the
// end for what mustn't be kept.
func (f *fleet) verify() {
	f.t.Helper()
	config, err := os.ReadFile(f.config)
	require.NoError(f.t, err)
	copied := f.write("copy.yaml", strings.Replace(string(config), fleetStorage, "path: ledger", 1))
	for _, args := range [][]string{
		{"ledger", "verify", "--config.file=" + f.config},
		{"ledger", "copy", "--from=" + f.config, "--to=" + copied},
		{"ledger", "verify", "--config.file=" + copied},
	} {
		env := map[string]string{"CDR_DSN_FILE": fmt.Sprintf("replica-%d.dsn", f.started)}
		start(f.t, f.vault, launch{args: args, env: env}).exited(0)
	}
}
