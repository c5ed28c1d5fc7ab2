// Package pgtest starts a real PostgreSQL for tests: in a temporary folder, on a loopback port,
// never Debian's own cluster. The server stops when the test ends, and also when the test's process
// dies. Only tests and benchmarks import it. Kill, Pause and CPU need Linux.
package pgtest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Cluster is a running PostgreSQL server.
type Cluster struct {
	// Addr is its host:port.
	Addr string

	folder   string // holds data, the server's files, and log
	bin      string
	password string // of the roles cdr and postgres
	keeper   *exec.Cmd
	alive    interface{ Close() error } // the keeper stops the server when this pipe is closed
}

// passwords is the authentication method of all servers but those of StartTrusting.
const passwords = "scram-sha-256"

// Start starts a server with lines for its postgresql.conf, such as "fsync = off". The server has a
// database and a role called cdr; the role owns the database and isn't a superuser. The server
// checks passwords (SCRAM).
func Start(tb testing.TB, settings ...string) *Cluster {
	tb.Helper()
	return started(tb, passwords, settings)
}

// StartTrusting is Start without password checks, which take a third of the time of thousands of
// short connections under the race detector.
func StartTrusting(tb testing.TB, settings ...string) *Cluster {
	tb.Helper()
	return started(tb, "trust", settings)
}

// Run is Start for a program that isn't a test. It must call Close.
func Run(settings ...string) (*Cluster, error) { return start(passwords, settings) }

func started(tb testing.TB, authentication string, settings []string) *Cluster {
	tb.Helper()
	c, err := start(authentication, settings)
	require.NoError(tb, err)
	tb.Cleanup(c.Close)
	return c
}

func start(authentication string, settings []string) (*Cluster, error) {
	c, err := newCluster(rand.Text())
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		os.WriteFile(c.folder+"/password", []byte(c.password), 0o644), //nolint:gosec // only the server uses the folder
		c.run("initdb", "-D", "data", "-U", "postgres", "--pwfile=password", "-A", authentication, "-E", "UTF8",
			"--locale=C", "--no-sync"))
	if err == nil {
		err = c.serve(append([]string{
			"listen_addresses = '127.0.0.1'", "unix_socket_directories = ''",
			"max_connections = 200",
		}, settings...))
	}
	if err == nil {
		err = execute(c.dsn("postgres", "postgres"), "CREATE ROLE cdr LOGIN PASSWORD '"+c.password+"'",
			"CREATE DATABASE cdr OWNER cdr")
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// newCluster makes a folder that belongs to the server's user, and starts its keeper.
func newCluster(password string) (*Cluster, error) {
	c := &Cluster{password: password}
	var err error
	if c.bin, err = binaries(); err != nil {
		return nil, err
	}
	if c.folder, err = os.MkdirTemp("", "cdr-postgres-"); err != nil {
		return nil, err
	}
	if c.Addr, err = simulator.FreeAddress(context.Background()); err != nil { // a restart finds it free, too
		return nil, err
	}
	// A test's process may be killed. The keeper is a process that notices its end, stops the
	// server, even during a pause, and removes the folder.
	c.keeper = c.command("/bin/sh", "-c", `cat > /dev/null
		pid=$(head -n 1 data/postmaster.pid) && kill -CONT $pid && kill -QUIT $pid
		for i in $(seq 100); do [ -e data/postmaster.pid ] || break; sleep 0.1; done
		rm -rf "$PWD"`)
	c.keeper.SysProcAttr.Setpgid = true // a terminal's interrupt must not reach it
	if c.alive, err = c.keeper.StdinPipe(); err != nil {
		return nil, err
	}
	if u := c.keeper.SysProcAttr.Credential; u != nil {
		err = os.Chown(c.folder, int(u.Uid), int(u.Gid))
	}
	return c, errors.Join(err, c.keeper.Start())
}

// binaries finds the folder of PostgreSQL's programs.
func binaries() (string, error) {
	if folder := os.Getenv("CDR_POSTGRES_BIN"); folder != "" {
		return folder, nil
	}
	if initdb, err := exec.LookPath("initdb"); err == nil {
		initdb, err = filepath.EvalSymlinks(initdb) // the other programs are in its real folder
		return filepath.Dir(initdb), err
	}
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well formed
	if len(debian) == 0 {
		return "", errors.New("tests need PostgreSQL's server: apt-get install postgresql, or name the folder " +
			"of initdb in CDR_POSTGRES_BIN")
	}
	return filepath.Dir(slices.MaxFunc(debian, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})), nil
}

// command prepares a program that runs in the cluster's folder. If we are root it runs as the user
// postgres, because a server refuses to run as root.
func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	if !filepath.IsAbs(name) {
		name = filepath.Join(c.bin, name)
	}
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.Dir = c.folder
	cmd.Env = append(os.Environ(), "LC_ALL=C", "PWD="+c.folder)
	cmd.SysProcAttr = new(syscall.SysProcAttr)
	if u, err := user.Lookup("postgres"); err == nil && os.Getuid() == 0 {
		uid, _ := strconv.ParseUint(u.Uid, 10, 32) // numbers, on every Unix
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return cmd
}

// run runs a program to its end.
func (c *Cluster) run(name string, args ...string) error {
	out, err := c.command(name, args...).CombinedOutput()
	if err != nil {
		log, _ := os.ReadFile(c.folder + "/log") // there may be none yet
		return fmt.Errorf("%s: %w\n%s\n%s", name, err, out, log[max(0, len(log)-4000):])
	}
	return nil
}

// serve starts the server of the data folder with more settings.
func (c *Cluster) serve(settings []string) error {
	_, port, _ := net.SplitHostPort(c.Addr)
	config, err := os.OpenFile(c.folder+"/data/postgresql.conf", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(config, "\nport = %s\n%s\n", port, strings.Join(settings, "\n"))
	return errors.Join(err, config.Close(), c.control("start"))
}

// control runs pg_ctl, which waits until it is done.
func (c *Cluster) control(args ...string) error {
	return c.run("pg_ctl", append([]string{"-D", "data", "-l", "log", "-w", "-t", "120"}, args...)...)
}

// Close stops the server and removes its folder.
func (c *Cluster) Close() {
	_, _ = c.signal(syscall.SIGCONT) // it may be dead
	_ = c.alive.Close()
	_ = c.keeper.Wait() // it ends with the status of its rm
}

// DSN is the connection string of the database cdr.
func (c *Cluster) DSN() string { return c.dsn("cdr", "cdr") }

// Admin is the connection string of a superuser in the database cdr.
func (c *Cluster) Admin() string { return c.dsn("postgres", "cdr") }

func (c *Cluster) dsn(role, database string) string {
	return "postgres://" + role + ":" + c.password + "@" + c.Addr + "/" + database + "?sslmode=disable"
}

// At is a connection string with other addresses: of a proxy, or of both servers of a pair.
func At(dsn string, addresses ...string) string {
	head, tail, _ := strings.Cut(dsn, "@")
	_, tail, _ = strings.Cut(tail, "/")
	return head + "@" + strings.Join(addresses, ",") + "/" + tail
}

// execute runs statements one after the other, each in its own transaction.
func execute(dsn string, statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", s, err), conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}
