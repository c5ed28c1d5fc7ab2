//go:build e2e

package main_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestE2EKamailio (definitions.md 5): SIPp makes calls through a real Kamailio, whose accounting
// goes to a real MariaDB.
func TestE2EKamailio(t *testing.T) {
	t.Parallel()
	m := startMariaDB(t)
	t.Run("accounting", func(t *testing.T) { t.Parallel(); m.testAccounting(t) })
	t.Run("failover", func(t *testing.T) { t.Parallel(); m.testFailover(t) })
	t.Run("match", func(t *testing.T) { t.Parallel(); m.testMatch(t) })
	t.Run("types", func(t *testing.T) { t.Parallel(); m.testTypes(t) })
}

// testAccounting: what is counted is what SIPp says it did.
func (m *mariaDB) testAccounting(t *testing.T) {
	t.Helper()
	folder, database := t.TempDir(), m.database(t, "accounting")
	good, busy := startCallee(t, folder, "good", ""), startCallee(t, folder, "busy", refusingScenario("486 Busy Here"))
	proxy := startKamailio(t, folder, m.port, "accounting", fmt.Sprintf(`
request_route {
	if (is_method("INVITE")) { setflag(1); setflag(2); setflag(3); }
	if (is_method("BYE")) { setflag(1); }
	if ($rU == "busy") { $du = "sip:127.0.0.1:%d"; } else { $du = "sip:127.0.0.1:%d"; }
	t_relay();
}
`, busy, good))
	const answered, refused = 40, 25
	made := callThrough(t, folder, proxy, "good", answered, 200*time.Millisecond, "")
	turned := callThrough(t, folder, proxy, "busy", refused, 0, busyCallScenario)
	if made != answered || turned != refused {
		t.Fatalf("SIPp made %d and %d calls", made, turned)
	}
	// The rows of acc may come a little after the answers.
	waitForRows(t, database, "acc WHERE method = 'BYE'", answered)
	config := filepath.Join(folder, "config.yaml")
	write(t, filepath.Join(folder, "dsn"), m.dsn("accounting"))
	write(t, config, "storage: {path: ledger}\nmetrics: {zero_for: 0s}\nsources:\n  - name: edge\n    history: 1h\n"+
		"    kamailio: {driver: mysql, dsn_file: dsn, time_zone: UTC, acc: {interval: 1s, lookback: 1h, settle: 3s}}\n")
	v := newVault(t)
	x := start(t, v, launch{config: config}).ready()
	for outcome, want := range map[string]float64{"answered": float64(made), "busy": float64(turned)} {
		x.shows(want, "cdr_calls_total", "feed=acc", "outcome="+outcome)
	}
	shown := x.scrape()
	if got := shown.sum("cdr_calls_total", "feed=acc"); got != answered+refused {
		t.Errorf("%g calls are counted in all, SIPp made %d", got, answered+refused)
	}
	if got := shown.sum("cdr_call_failures_total", "sip_code=486"); got != refused {
		t.Errorf("%g calls have the code 486", got)
	}
	x.stop()

	// The definition keeps the laws in this database too.
	laws := exec.CommandContext(t.Context(), binary(), "provider", "test",
		"../../collector/declared/builtin/kamailio.yaml", "--dsn", m.dsn(""))
	out, err := laws.CombinedOutput()
	if err != nil || strings.Count(string(out), "held:") < 5 {
		t.Errorf("provider test --dsn: %v\n%s", err, out)
	}
}

// testFailover (counting.md, "Calls"): the first carrier refuses every call and
// failure_route tries the second one. People count answered calls, also such as last longer than
// `settle`; the first carrier is down on the page while they still talk.
func (m *mariaDB) testFailover(t *testing.T) {
	t.Helper()
	folder, database := t.TempDir(), m.database(t, "failover")
	for _, table := range []string{"acc", "missed_calls"} {
		if _, err := database.ExecContext(t.Context(),
			"ALTER TABLE "+table+" ADD carrier VARCHAR(64), ADD way VARCHAR(16)"); err != nil {
			t.Fatal(err)
		}
	}
	first, second := startCallee(t, folder, "first", refusingScenario("503 Service Unavailable")),
		startCallee(t, folder, "second", "")
	proxy := startKamailio(t, folder, m.port, "failover", fmt.Sprintf(`
modparam("acc", "db_extra", "carrier=$avp(carrier);way=$avp(way)")
request_route {
	$avp(way) = "outbound";
	if (is_method("INVITE")) {
		setflag(1); setflag(2); setflag(3);
		$avp(carrier) = "first";
		$du = "sip:127.0.0.1:%d";
		t_on_failure("NEXT");
	} else {
		if (is_method("BYE")) { setflag(1); }
		$du = "sip:127.0.0.1:%[2]d";
	}
	t_relay();
}
failure_route[NEXT] {
	$avp(carrier) = "second";
	$du = "sip:127.0.0.1:%[2]d";
	t_relay();
}
`, first, second))
	config := filepath.Join(folder, "config.yaml")
	write(t, filepath.Join(folder, "dsn"), m.dsn("failover"))
	write(t, config, "storage: {path: ledger}\nmetrics: {zero_for: 0s}\nsources:\n  - name: edge\n    "+
		"history: 1h\n    kamailio:\n      driver: mysql\n      dsn_file: dsn\n"+
		"      time_zone: UTC\n      columns: {trunk: carrier, direction: way}\n      acc: {interval: 1s, "+
		"lookback: 1h, settle: 3s}\n")
	x := start(t, newVault(t), launch{config: config}).ready()
	const short, long, length = 20, 10, 15 * time.Second
	if made := callThrough(t, folder, proxy, "short", short, 200*time.Millisecond, ""); made != short {
		t.Fatalf("SIPp made %d calls", made)
	}
	x.shows(short, "cdr_calls_total", "outcome=answered", "trunk=second")
	made := startCalls(t, folder, proxy, "long", long, length, "")
	x.shows(short+long, "cdr_call_legs_total", "outcome=failed", "trunk=first")
	// All of this is known while the long calls go on.
	if n := x.scrape().sum("cdr_calls_total"); n != short {
		t.Errorf("%g calls are counted before the long ones end", n)
	}
	var down []string
	for _, f := range x.status().Verdict.Findings {
		down = append(down, f.Subject)
	}
	if !slices.Equal(down, []string{"first, outbound"}) {
		t.Errorf("the page names %q", down)
	}
	if n := made(); n != long {
		t.Fatalf("SIPp made %d calls", n)
	}
	waitForRows(t, database, "missed_calls", short+long)
	waitForRows(t, database, "acc WHERE method = 'BYE'", short+long)
	x.shows(short+long, "cdr_calls_total", "outcome=answered", "trunk=second")
	shown := x.scrape()
	for _, c := range []struct {
		what   string
		want   float64
		metric string
		labels []string
	}{
		{"calls", short + long, "cdr_calls_total", nil},
		{"failed calls", 0, "cdr_call_failures_total", nil},
		{"attempts on the first trunk", short + long, "cdr_recent_attempts", []string{"trunk=first"}},
		{"its faults", short + long, "cdr_recent_faults", []string{"trunk=first"}},
		{"attempts on the second trunk", short + long, "cdr_recent_connected", []string{"trunk=second"}},
		{"legs", 2 * (short + long), "cdr_call_legs_total", nil},
		{"changes of outcomes", 0, "cdr_call_outcome_changes_total", nil},
		{"calls that aren't whole", 0, "cdr_exporter_calls_incomplete_total", nil},
	} {
		if got := shown.sum(c.metric, c.labels...); got != c.want {
			t.Errorf("%g %s, want %g", got, c.what, c.want)
		}
	}
	// Kamailio writes whole seconds.
	least, most := (length-time.Second).Seconds()*long, (length+time.Second).Seconds()*long+short
	if got := shown.sum("cdr_call_connected_seconds_total"); got < least || got > most {
		t.Errorf("%g s connected, want between %g and %g", got, least, most)
	}
	x.stop()
}

// testTypes (definitions.md, "Databases"): a value is what the database prints (it rounds a FLOAT), and a BIT is
// a number. The session is in the source's zone, not in the server's. If the server can't do that, no TIMESTAMP is
// read.
func (m *mariaDB) testTypes(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	db := m.database(t, "types")
	_, err := db.ExecContext(t.Context(), `CREATE TABLE calls (id BIGINT UNSIGNED, at DATETIME(3),
		answered BIT(1), flags BIT(12), secs FLOAT, cost DECIMAL(10, 4), stamp TIMESTAMP NULL, epoch INT);
		SET time_zone = '+00:00';
		INSERT INTO calls VALUES (9300000000000000001, '2026-11-23 10:00:00.5', b'1', b'100000000001', 1234567, 0.1,
			'2026-11-23 10:00:07', 1795428000), (9300000000000000003, '2026-11-23 10:01:00', b'0', NULL, 0, NULL, NULL,
			1795428060);
		SET GLOBAL time_zone = '+05:00'`)
	require.NoError(t, err)
	config := filepath.Join(folder, "config.yaml")
	write(t, filepath.Join(folder, "types.yaml"), `provider: types
sql:
  driver: mysql
  query: SELECT * FROM calls WHERE at >= :from AND at < :to AND '?' = '?' AND epoch < UNIX_TIMESTAMP(:to)
feeds:
  calls:
    filter: {by: start}
    record:
      id: id
      start: {path: at, time: "2006-01-02 15:04:05"}
      duration: secs
      outcome: {path: answered, table: {"1": answered, "0": busy}}
      sip_code: flags
      trunk: {path: stamp, match: '^.{11}(.*)$'}
      charges: [{component: usage, amount: cost, currency: {is: EUR}}]
`)
	write(t, filepath.Join(folder, "dsn"), m.dsn("types")+"?sql_select_limit=1") // a server's setting may be the same
	records := func(zone string) ([]byte, error) {
		write(t, config, "storage: {path: ledger}\ndefinitions: [types.yaml]\nsources:\n  - name: db\n    "+
			"types: {dsn_file: dsn, time_zone: "+zone+", calls: }\n")
		return exec.CommandContext(t.Context(), binary(), "records", "--config.file="+config, "--source=db",
			"--feed=calls", "--from=2026-11-23", "--to=2026-11-24", "--output=csv").CombinedOutput()
	}
	out, err := records("UTC")
	rows := strings.Split(string(out), "\n")
	if err != nil || len(rows) != 4 ||
		!strings.HasPrefix(rows[1],
			"2026-11-23T10:00:00.5Z,9300000000000000001,unknown,,answered,1234570,10:00:07,,2049,") ||
		!strings.HasPrefix(rows[2], "2026-11-23T10:01:00Z,9300000000000000003,unknown,,busy,0,,,,") {
		t.Errorf("%v: %s", err, out)
	}
	// This server has no names of zones.
	if out, err := records("Asia/Karachi"); err != nil || !bytes.Contains(out, []byte(",15:00:07,")) {
		t.Errorf("the server's own zone: %v: %s", err, out)
	}
	_, err = db.ExecContext(t.Context(), `SET GLOBAL time_zone = '+00:00'`)
	require.NoError(t, err)
	for _, zone := range []string{"Europe/Berlin", "Europe/London"} {
		if out, err := records(zone); err == nil || !bytes.Contains(out, []byte("mysql_tzinfo_to_sql")) {
			t.Errorf("%s: %v: %s", zone, err, out)
		}
	}
}

// waitForRows waits until a table has as many rows.
func waitForRows(t *testing.T, db *sql.DB, table string, want int) {
	t.Helper()
	eventually(t, fmt.Sprintf("account for %d rows of %s", want, table), func() error {
		var n int
		//nolint:gosec // the tests' own tables
		if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
			return err
		}
		if n != want {
			return fmt.Errorf("it has %d", n)
		}
		return nil
	})
}

// write writes a file for everybody to read.
func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // servers run as other users
		t.Fatal(err)
	}
}

// background starts a server that ends with the test.
func background(t *testing.T, as *syscall.Credential, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v; make packages installs it", err)
	}
	c := exec.CommandContext(context.WithoutCancel(t.Context()), path, args...)
	var out bytes.Buffer
	c.Env = append(os.Environ(), "TZ=UTC")
	c.Stdout, c.Stderr, c.SysProcAttr = &out, &out, &syscall.SysProcAttr{Credential: as, Setpgid: true}
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		_ = c.Wait()
		if t.Failed() {
			t.Logf("%s said: %.4000s", name, &out)
		}
	})
}

// freeTCPPort is the port of a free address, whose UDP port is taken.
func freeTCPPort(t *testing.T) int {
	t.Helper()
	_, port, _ := strings.Cut(free(t), ":")
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return n
}

func freeUDPPort(t *testing.T) int {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0") //nolint:noctx // it is closed at once
	require.NoError(t, err)
	defer c.Close() //nolint:errcheck // only its port is wanted
	return c.LocalAddr().(*net.UDPAddr).Port
}

// mariaDB is a server.
type mariaDB struct{ port int }

// startMariaDB starts a server that ends with the test.
func startMariaDB(t *testing.T) *mariaDB {
	t.Helper()
	folder, m := t.TempDir(), &mariaDB{freeTCPPort(t)}
	data := filepath.Join(folder, "mariadb")
	var as *syscall.Credential
	// A server removes temporary tables of others from its folder for temporary files.
	args := []string{
		"--no-defaults", "--datadir=" + data, "--tmpdir=" + folder,
		"--auth-root-authentication-method=normal", "--skip-test-db",
	}
	if os.Geteuid() == 0 { // it doesn't run as root
		owner, err := user.Lookup("mysql")
		if err != nil {
			t.Fatalf("%v; make packages installs mariadb-server", err)
		}
		uid, _ := strconv.ParseUint(owner.Uid, 10, 32)
		gid, _ := strconv.ParseUint(owner.Gid, 10, 32)
		as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		args = append(args, "--user=mysql")
		open(t, folder)
	}
	if out, err := exec.CommandContext(t.Context(), "mariadb-install-db", args...).CombinedOutput(); err != nil {
		t.Fatalf("make a database: %v: %s", err, out)
	}
	background(t, as, "mariadbd", "--no-defaults", "--datadir="+data, "--tmpdir="+folder,
		"--socket="+filepath.Join(data, "s"), fmt.Sprintf("--port=%d", m.port),
		"--bind-address=127.0.0.1", "--pid-file="+filepath.Join(data, "pid"))
	db := m.open(t, "")
	eventually(t, "start MariaDB", func() error { return db.PingContext(t.Context()) })
	return m
}

// dsn is where a database is.
func (m *mariaDB) dsn(name string) string {
	return fmt.Sprintf("root:@tcp(127.0.0.1:%d)/%s", m.port, name)
}

func (m *mariaDB) open(t *testing.T, name string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", m.dsn(name)+"?multiStatements=true")
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the server ends too
	return db
}

// database makes a database with Kamailio's tables.
func (m *mariaDB) database(t *testing.T, name string) *sql.DB {
	t.Helper()
	statements := fmt.Sprintf("CREATE DATABASE %s; USE %[1]s;", name)
	for _, file := range []string{"standard-create.sql", "acc-create.sql"} {
		text, err := os.ReadFile(filepath.Join("/usr/share/kamailio/mysql", file))
		if err != nil {
			t.Fatalf("%v; make packages installs kamailio-mysql-modules", err)
		}
		statements += string(text)
	}
	if _, err := m.open(t, "").ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
	return m.open(t, name)
}

// open lets other users reach a folder of the test's.
func open(t *testing.T, folder string) {
	t.Helper()
	for at := folder; strings.HasPrefix(at, os.TempDir()) && at != os.TempDir(); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o777); err != nil { //nolint:gosec // of the test's own
			t.Fatal(err)
		}
	}
}

// startKamailio starts a proxy in UTC with routes, which may set modparams.
func startKamailio(t *testing.T, folder string, server int, database, routes string) (port int) {
	t.Helper()
	port = freeUDPPort(t)
	file := filepath.Join(folder, "kamailio.cfg")
	write(t, file, fmt.Sprintf(`
debug=1
log_stderror=yes
children=2
listen=udp:127.0.0.1:%d
loadmodule "db_mysql.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "acc.so"
modparam("acc", "db_url", "mysql://root:@127.0.0.1:%d/%s")
modparam("acc", "db_flag", 1)
modparam("acc", "db_missed_flag", 2)
modparam("acc", "failed_transaction_flag", 3)
`, port, server, database)+routes)
	background(t, nil, "kamailio", "-DD", "-E", "-f", file, "-P", filepath.Join(folder, "kamailio.pid"), "-Y", folder)
	return port
}

// patient keeps SIPp from giving a call up for a message that comes late or twice, as on a busy machine: ringing after
// the answer.
var patient = []string{"-default_behaviors", "all,-abortunexp"}

// startCallee starts a SIPp that takes calls.
func startCallee(t *testing.T, folder, name, scenario string) (port int) {
	t.Helper()
	port = sippPorts()
	background(t, nil, "sipp", append(append(scenarioArgs(t, folder, name, scenario, "uas"), patient...),
		"-i", "127.0.0.1", "-p", strconv.Itoa(port), "-nostdin", "-mi", "127.0.0.1", "-mp", strconv.Itoa(port+2))...)
	return port
}

var sipps atomic.Int32

// sippPorts is the first of eight ports of one SIPp: for SIP, and from the third one on for audio and video. They lie
// below the ports of outgoing connections, and above those of simulator.FreeAddress.
func sippPorts() int { return 30_000 + 8*int(sipps.Add(1)) }

func scenarioArgs(t *testing.T, folder, name, scenario, builtin string) []string {
	t.Helper()
	if scenario == "" {
		return []string{"-sn", builtin}
	}
	file := filepath.Join(folder, name+builtin+".xml")
	write(t, file, scenario)
	return []string{"-sf", file}
}

var successful = regexp.MustCompile(`Successful call +\| +\d+ +\| +(\d+)`)

// callThrough makes calls of a length and returns how many went as the scenario says.
func callThrough(t *testing.T, folder string, proxy int, to string, n int, long time.Duration, scenario string) int {
	t.Helper()
	return startCalls(t, folder, proxy, to, n, long, scenario)()
}

// startCalls is callThrough that doesn't wait: the function that it returns does.
func startCalls(
	t *testing.T, folder string, proxy int, to string, n int, long time.Duration, scenario string,
) func() int {
	t.Helper()
	port := sippPorts()
	args := append(append(scenarioArgs(t, folder, to, scenario, "uac"), patient...),
		"-s", to, "-i", "127.0.0.1", "-p", strconv.Itoa(port),
		"-m", strconv.Itoa(n), "-r", "20", "-d", strconv.FormatInt(long.Milliseconds(), 10), "-nostdin", "-timeout",
		"60s",
		"-mi", "127.0.0.1", "-mp", strconv.Itoa(port+2), fmt.Sprintf("127.0.0.1:%d", proxy))
	c := exec.CommandContext(t.Context(), "sipp", args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	require.NoError(t, c.Start())
	return func() int {
		t.Helper()
		err := c.Wait()
		found := successful.FindAllSubmatch(out.Bytes(), -1)
		if err != nil || len(found) == 0 {
			t.Fatal(errors.Join(err, fmt.Errorf("SIPp: %.3000s", &out)))
		}
		made, _ := strconv.Atoi(string(found[len(found)-1][1]))
		return made
	}
}

// refusingScenario takes no call.
func refusingScenario(status string) string {
	return strings.ReplaceAll(`<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="refuse">
  <recv request="INVITE" crlf="true"/>
  <send><![CDATA[
      SIP/2.0 STATUS
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]SIPpTag01[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

  ]]></send>
  <recv request="ACK"/>
</scenario>
`, "STATUS", status)
}

// busyCallScenario expects to find the callee busy.
const busyCallScenario = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="call that is refused">
  <send retrans="500"><![CDATA[
      INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:a@[local_ip]:[local_port]>;tag=[pid]SIPpTag00[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: <sip:a@[local_ip]:[local_port]>
      Max-Forwards: 70
      Content-Length: 0

  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="486" rtd="true"/>
  <send><![CDATA[
      ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:a@[local_ip]:[local_port]>;tag=[pid]SIPpTag00[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: 1 ACK
      Max-Forwards: 70
      Content-Length: 0

  ]]></send>
</scenario>
`
