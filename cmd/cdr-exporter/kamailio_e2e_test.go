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
	"strconv"
	"strings"
	"syscall"
	"testing"

	_ "github.com/go-sql-driver/mysql"
)

// TestE2EKamailio (definitions.md 5): SIPp makes calls through a real Kamailio, whose accounting goes to a real MariaDB, and what is counted is what
// SIPp says it did. A call whose first carrier refuses, and whose second one connects, is an answered call with a failed attempt.
func TestE2EKamailio(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	database, port := startMariaDB(t, folder)
	good, busy := startCallee(t, folder, "good", ""), startCallee(t, folder, "busy", busyScenario)
	down := startCallee(t, folder, "down", strings.Replace(busyScenario, "486 Busy Here", "503 Service Unavailable", 1))
	proxy := startKamailio(t, folder, port, good, busy, down)
	const answered, refused, failedOver = 40, 25, 15
	made := callThrough(t, folder, proxy, "good", answered, "")
	if n := callThrough(t, folder, proxy, "failover", failedOver, ""); n != failedOver {
		t.Fatalf("SIPp made %d calls over the second carrier", n)
	}
	turned := callThrough(t, folder, proxy, "busy", refused, busyCallScenario)
	if made != answered || turned != refused {
		t.Fatalf("SIPp made %d and %d calls", made, turned)
	}
	// The rows of acc may come a little after the answers.
	eventually(t, "account for every call", func() error {
		var byes int
		if err := database.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM acc WHERE method = 'BYE'").Scan(&byes); err != nil {
			return err
		}
		if byes != answered+failedOver {
			return fmt.Errorf("%d calls have ended", byes)
		}
		return nil
	})
	config := filepath.Join(folder, "config.yaml")
	write(t, filepath.Join(folder, "dsn"), fmt.Sprintf("root:@tcp(127.0.0.1:%d)/kamailio\n", port))
	write(t, config, "storage: {path: ledger}\nmetrics: {zero_for: 0s}\nsources:\n  - name: edge\n    history: 1h\n"+
		"    kamailio: {driver: mysql, dsn_file: dsn, time_zone: UTC,\n"+
		"      columns: {trunk: carrier, direction: way}, acc: {interval: 1s, lookback: 1h, settle: 2s}}\n")
	v := newVault(t)
	x := start(t, v, launch{config: config}).ready()
	for outcome, want := range map[string]float64{"answered": float64(made) + failedOver, "busy": float64(turned)} {
		eventually(t, "count the calls that are "+outcome, func() error {
			if got := x.scrape().sum("cdr_calls_total", "feed=acc", "outcome="+outcome); got != want {
				return fmt.Errorf("%g are counted, SIPp made %g", got, want)
			}
			return nil
		})
	}
	m := x.scrape()
	if got := m.sum("cdr_calls_total", "feed=acc"); got != answered+refused+failedOver {
		t.Errorf("%g calls are counted in all, SIPp made %d", got, answered+refused+failedOver)
	}
	if got := m.sum("cdr_calls_total", "feed=acc", "direction=outbound", "trunk=carrier-b", "outcome=answered"); got != failedOver {
		t.Errorf("%g calls are answered over the second carrier, SIPp made %d", got, failedOver)
	}
	if got := m.sum("cdr_call_legs_total", "direction=outbound", "trunk=carrier-a", "outcome=failed"); got != failedOver {
		t.Errorf("%g attempts failed at the first carrier, SIPp made %d", got, failedOver)
	}
	if got := m.sum("cdr_call_failures_total", "sip_code=486"); got != refused {
		t.Errorf("%g calls have the code 486", got)
	}
	x.stop()
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
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		_ = c.Wait()
		if t.Failed() {
			t.Logf("%s said: %.4000s", name, &out)
		}
	})
}

func freePort(t *testing.T, network string) int {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0") //nolint:noctx // it is closed at once
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() //nolint:errcheck // only its port is wanted
		return c.LocalAddr().(*net.UDPAddr).Port
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only its port is wanted
	return l.Addr().(*net.TCPAddr).Port
}

// startMariaDB starts a server with Kamailio's tables.
func startMariaDB(t *testing.T, folder string) (*sql.DB, int) {
	t.Helper()
	port, data := freePort(t, "tcp"), filepath.Join(folder, "mariadb")
	var as *syscall.Credential
	args := []string{"--no-defaults", "--datadir=" + data, "--auth-root-authentication-method=normal", "--skip-test-db"}
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
	background(t, as, "mariadbd", "--no-defaults", "--datadir="+data, "--socket="+filepath.Join(data, "s"), fmt.Sprintf("--port=%d", port),
		"--bind-address=127.0.0.1", "--pid-file="+filepath.Join(data, "pid"))
	db, err := sql.Open("mysql", fmt.Sprintf("root:@tcp(127.0.0.1:%d)/?multiStatements=true", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the server ends too
	eventually(t, "start MariaDB", func() error { return db.PingContext(t.Context()) })
	statements := "CREATE DATABASE kamailio; USE kamailio;"
	for _, file := range []string{"standard-create.sql", "acc-create.sql"} {
		text, err := os.ReadFile(filepath.Join("/usr/share/kamailio/mysql", file))
		if err != nil {
			t.Fatalf("%v; make packages installs kamailio-mysql-modules", err)
		}
		statements += string(text)
	}
	for _, table := range []string{"acc", "missed_calls"} {
		statements += "ALTER TABLE " + table + " ADD carrier VARCHAR(64), ADD way VARCHAR(16);"
	}
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
	db.Close() //nolint:errcheck // it is opened again, in the database
	db, err = sql.Open("mysql", fmt.Sprintf("root:@tcp(127.0.0.1:%d)/kamailio", port))
	if err != nil {
		t.Fatal(err)
	}
	return db, port
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

// startKamailio starts a proxy in UTC: calls to busy go to one server, those to failover first to one that refuses, all others to a good one.
func startKamailio(t *testing.T, folder string, database, good, busy, down int) (port int) {
	t.Helper()
	port = freePort(t, "udp")
	file := filepath.Join(folder, "kamailio.cfg")
	write(t, file, fmt.Sprintf(`
debug=1
log_stderror=yes
children=2
listen=udp:127.0.0.1:%[1]d
loadmodule "db_mysql.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "acc.so"
modparam("acc", "db_url", "mysql://root:@127.0.0.1:%[2]d/kamailio")
modparam("acc", "db_flag", 1)
modparam("acc", "db_missed_flag", 2)
modparam("acc", "failed_transaction_flag", 3)
modparam("acc", "db_extra", "carrier=$avp(carrier); way=$avp(way)")
request_route {
	if (is_method("INVITE")) { setflag(1); setflag(2); setflag(3); }
	if (is_method("BYE")) { setflag(1); }
	if ($rU == "busy") { $du = "sip:127.0.0.1:%[4]d"; } else { $du = "sip:127.0.0.1:%[3]d"; }
	if ($rU == "failover" && is_method("INVITE")) {
		$avp(carrier) = "carrier-a"; $avp(way) = "outbound"; $du = "sip:127.0.0.1:%[5]d";
		t_on_failure("next");
	}
	t_relay();
}
failure_route[next] {
	$avp(carrier) = "carrier-b"; $du = "sip:127.0.0.1:%[3]d";
	t_relay();
}
`, port, database, good, busy, down))
	background(t, nil, "kamailio", "-DD", "-E", "-f", file, "-P", filepath.Join(folder, "kamailio.pid"), "-Y", folder)
	return port
}

// startCallee starts a SIPp that takes calls.
func startCallee(t *testing.T, folder, name, scenario string) (port int) {
	t.Helper()
	port = freePort(t, "udp")
	background(t, nil, "sipp", append(scenarioArgs(t, folder, name, scenario, "uas"),
		"-i", "127.0.0.1", "-p", strconv.Itoa(port), "-nostdin", "-mi", "127.0.0.1", "-mp", strconv.Itoa(freePort(t, "udp")))...)
	return port
}

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

// callThrough makes calls and returns how many went as the scenario says.
func callThrough(t *testing.T, folder string, proxy int, to string, n int, scenario string) int {
	t.Helper()
	args := append(scenarioArgs(t, folder, to, scenario, "uac"), "-s", to, "-i", "127.0.0.1", "-p", strconv.Itoa(freePort(t, "udp")),
		"-m", strconv.Itoa(n), "-r", "20", "-d", "200", "-nostdin", "-timeout", "40s", "-mi", "127.0.0.1", "-mp", strconv.Itoa(freePort(t, "udp")),
		fmt.Sprintf("127.0.0.1:%d", proxy))
	out, err := exec.CommandContext(t.Context(), "sipp", args...).CombinedOutput()
	found := successful.FindAllSubmatch(out, -1)
	if err != nil || len(found) == 0 {
		t.Fatal(errors.Join(err, fmt.Errorf("SIPp: %.3000s", out)))
	}
	made, _ := strconv.Atoi(string(found[len(found)-1][1]))
	return made
}

// busyScenario takes no call, and busyCallScenario expects that.
const (
	busyScenario = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="busy">
  <recv request="INVITE" crlf="true"/>
  <send><![CDATA[
      SIP/2.0 486 Busy Here
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]SIPpTag01[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

  ]]></send>
  <recv request="ACK"/>
</scenario>
`
	busyCallScenario = `<?xml version="1.0" encoding="ISO-8859-1" ?>
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
)
