package pgtest

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// childEnv makes this program a child that starts a server and waits to be killed.
const childEnv = "CDR_PGTEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		goleak.VerifyTestMain(m)
		return
	}
	c, err := start(passwords, nil)
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString(c.folder + "\n") // the parent would see that it is missing
	select {}
}

// query runs a statement that returns one text, on a new connection.
func query(t *testing.T, wait time.Duration, dsn, statement string) (text string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return "", err
	}
	err = conn.QueryRow(ctx, statement).Scan(&text)
	return text, errors.Join(err, conn.Close(t.Context()))
}

// refuse runs a statement that must not be answered.
func refuse(t *testing.T, dsn, statement string) {
	t.Helper()
	if got, err := query(t, 200*time.Millisecond, dsn, statement); err == nil {
		t.Fatalf("%s: answered %q", statement, got)
	}
}

// want runs a statement that must succeed with this text.
func want(t *testing.T, dsn, statement, text string) {
	t.Helper()
	if got, err := query(t, time.Minute, dsn, statement); err != nil || got != text {
		t.Fatalf("%s: %q, %v, want %q", statement, got, err, text)
	}
}

const insert = "INSERT INTO seen SELECT count(*) + 1 FROM seen RETURNING n::text"

// TestPair uses a primary and its standby in all the ways that tests do. Committed rows must stay.
func TestPair(t *testing.T) {
	t.Parallel()
	primary := Start(t)
	require.NoError(t, execute(primary.DSN(), "CREATE TABLE seen (n bigint PRIMARY KEY)"))
	standby := primary.Standby(t)
	proxy := NewProxy(t, primary.Addr)
	both := At(primary.DSN(), primary.Addr, standby.Addr) + "&target_session_attrs=read-write&connect_timeout=2"

	want(t, At(primary.DSN(), proxy.Addr), insert, "1")
	want(t, standby.DSN(), "SHOW transaction_read_only", "on")

	primary.Pause(t)
	refuse(t, primary.DSN(), "SELECT ''")
	primary.Resume(t)
	want(t, primary.DSN(), insert, "2")
	primary.Restart(t, "immediate")
	want(t, both, insert, "3")

	primary.Kill(t)
	refuse(t, primary.DSN(), "SELECT ''")
	standby.Promote(t)
	proxy.SetTarget(standby.Addr)
	want(t, At(primary.DSN(), proxy.Addr), insert, "4")
	want(t, both, insert, "5")

	// The former primary comes back. No standby confirms its commits, so no client sees a commit
	// succeed.
	primary.Restart(t, "fast")
	refuse(t, primary.DSN(), insert)
}

// TestProxy stalls and cuts connections.
func TestProxy(t *testing.T) {
	t.Parallel()
	direct := Database(t)
	require.NoError(t, execute(direct, "CREATE TABLE seen (n bigint PRIMARY KEY)"))
	proxy := NewProxy(t, Shared(t).Addr)
	through := At(direct, proxy.Addr)
	conn, err := pgx.Connect(t.Context(), through)
	require.NoError(t, err)
	proxy.Stall()
	conn.PgConn().Frontend().SendQuery(&pgproto3.Query{String: insert})
	// as if the process died
	require.NoError(t, errors.Join(conn.PgConn().Frontend().Flush(), conn.PgConn().Conn().Close()))
	refuse(t, through, "SELECT ''")
	want(t, direct, "SELECT count(*)::text FROM seen", "0")
	proxy.Resume()
	require.NoError(t, until(func(context.Context) error { // the insert arrives now
		if got, err := query(t, time.Minute, direct, "SELECT count(*)::text FROM seen"); got != "1" {
			return errors.Join(err, errors.New(got+" rows"))
		}
		return nil
	}))
	proxy.Cut()
	refuse(t, through, "SELECT ''")
	proxy.Resume()
	want(t, through, insert, "2")
}

// TestKilledTest leaves neither a server nor a folder behind.
func TestKilledTest(t *testing.T) {
	t.Parallel()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childEnv+"=1")
	out, err := child.StdoutPipe()
	require.NoError(t, errors.Join(err, child.Start()))
	lines := bufio.NewScanner(out)
	lines.Scan()
	require.NoError(t, child.Process.Kill())
	_ = child.Wait() // it was killed
	if lines.Text() == "" {
		t.Fatal("the child didn't start a server")
	}
	require.NoError(t, until(func(context.Context) error {
		if _, err := os.Stat(lines.Text()); !errors.Is(err, os.ErrNotExist) {
			return errors.Join(err, errors.New(lines.Text()+" is still there"))
		}
		return nil
	}))
}
