//go:build e2e

package main_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// testMatch: SIPp makes calls through one Kamailio to a second one, each with its own accounting. Then
// the second book is distorted: its clock, minutes and numbers differ, calls are missing and added, and two calls can't
// be told apart.
func (m *mariaDB) testMatch(t *testing.T) {
	t.Helper()
	folder, config := t.TempDir(), "storage: {path: ledger}\nsources:\n"
	next := startCallee(t, folder, "callee", "")
	books := make(map[string]*sql.DB)
	for _, name := range []string{"carrier", "edge"} {
		own := filepath.Join(folder, name)
		if err := os.Mkdir(own, 0o755); err != nil { //nolint:gosec // Kamailio runs as another user
			t.Fatal(err)
		}
		database := m.database(t, name)
		for _, table := range []string{"acc", "missed_calls"} {
			execSQL(t, database, "ALTER TABLE "+table+" ADD src_user VARCHAR(64), ADD dst_user VARCHAR(64)")
		}
		books[name], next = database, startKamailio(t, own, m.port, name, fmt.Sprintf(`
modparam("acc", "db_extra", "src_user=$fU;dst_user=$rU")
request_route {
	if (is_method("INVITE")) { setflag(1); setflag(2); setflag(3); }
	if (is_method("BYE")) { setflag(1); }
	$du = "sip:127.0.0.1:%d";
	t_relay();
}
`, next))
		write(t, filepath.Join(folder, name+".dsn"), m.dsn(name))
		config += fmt.Sprintf("  - name: %s\n    kamailio: {driver: mysql, dsn_file: %[1]s.dsn, time_zone: UTC, "+
			"columns: {caller: src_user, callee: dst_user}, acc: {}}\n", name)
	}
	const calls = 10
	number := func(i int) string { return fmt.Sprintf("+4930901820%02d", i) }
	var ends []func() int
	for i := range calls {
		length := time.Duration(1500+200*i) * time.Millisecond
		ends = append(ends, startCalls(t, folder, next, number(i), 1, length, ""))
	}
	for i, end := range ends {
		if made := end(); made != 1 {
			t.Fatalf("SIPp made %d calls to %s", made, number(i))
		}
	}
	for _, book := range books {
		waitForRows(t, book, "acc WHERE method = 'BYE'", calls)
	}
	const copied = "INSERT INTO acc " +
		"(method, from_tag, to_tag, callid, sip_code, sip_reason, time, src_user, dst_user) " +
		"SELECT method, from_tag, to_tag, CONCAT(callid, '-%s'), sip_code, sip_reason, time, src_user, %s " +
		"FROM acc WHERE callid = (SELECT MIN(callid) FROM acc WHERE dst_user = '%s')"
	for _, book := range books {
		execSQL(t, book, fmt.Sprintf(copied, "twin", "dst_user", number(1)))
	}
	for _, statement := range []string{
		"DELETE FROM acc WHERE dst_user = '" + number(2) + "'",
		fmt.Sprintf(copied, "more", "'+493090182999'", number(3)),
		"UPDATE acc b JOIN (SELECT callid, MIN(time) AS began FROM acc WHERE method = 'INVITE' GROUP BY callid) i " +
			"USING (callid) SET b.time = DATE_ADD(i.began, INTERVAL 60 SECOND) WHERE b.method = 'BYE'",
		"UPDATE acc SET time = DATE_ADD(time, INTERVAL 2 SECOND)",
		"UPDATE acc SET dst_user = CONCAT('0', SUBSTR(dst_user, 4)) WHERE id % 2 = 0",
		"UPDATE acc SET dst_user = CONCAT('00', SUBSTR(dst_user, 2)) WHERE id % 3 = 0 AND dst_user LIKE '+%'",
	} {
		execSQL(t, books["carrier"], statement)
	}
	write(t, filepath.Join(folder, "config.yaml"), config)
	x := start(t, newVault(t), launch{args: []string{
		"match", "--config.file=" + filepath.Join(folder, "config.yaml"), "--left=edge/acc", "--right=carrier/acc",
		"--from=1h", "--country=DE", "--output=json",
	}})
	x.exited(1)
	var got struct {
		Offset  float64 `json:"clock_offset_seconds"`
		Tariff  string  `json:"tariff"`
		Classes map[string]struct {
			Calls int
			Right struct{ Calls int }
		}
	}
	if err := json.Unmarshal(x.out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s\n%s", err, x.out, x.log)
	}
	// Both Kamailios write whole seconds.
	if got.Offset < 1 || got.Offset > 3 || got.Tariff != "60/60" {
		t.Errorf("the clock is %g s ahead, the tariff is %q", got.Offset, got.Tariff)
	}
	for class, want := range map[string][2]int{
		"ambiguous": {2, 2}, "only_left": {1, 0}, "only_right": {1, 1}, "rounded": {calls - 2, calls - 2},
		"duration": {}, "price": {}, "same": {},
	} {
		if c := got.Classes[class]; [2]int{c.Calls, c.Right.Calls} != want {
			t.Errorf("%s: %d and %d calls, want %d", class, c.Calls, c.Right.Calls, want)
		}
	}
	if t.Failed() {
		t.Logf("%s\n%s", x.out, x.log)
	}
}

func execSQL(t *testing.T, database *sql.DB, statement string) {
	t.Helper()
	if _, err := database.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
