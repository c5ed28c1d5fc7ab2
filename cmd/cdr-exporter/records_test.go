package main_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// command runs the binary to its end and expects an exit code.
func (n *tenant) command(code int, args ...string) *exporter {
	n.t.Helper()
	x := start(n.t, n.vault, launch{args: args})
	x.exited(code)
	return x
}

// records runs `records` over the last three days.
func (n *tenant) records(feed, output string) *exporter {
	n.t.Helper()
	return n.command(0, "records", "--config.file="+n.path("config.yaml"), "--source=contoso", "--feed="+feed,
		"--from=72h", "--output="+output)
}

// objects are the records of JSON lines, by id.
func objects(t *testing.T, lines string) map[string]map[string]any {
	t.Helper()
	all := make(map[string]map[string]any)
	for line := range strings.Lines(lines) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		id, _ := object["id"].(string)
		if all[id] != nil {
			t.Errorf("%s is printed twice", id)
		}
		all[id] = object
	}
	return all
}

// hashed is what a keyed hash looks like.
var hashed = regexp.MustCompile(`^[0-9a-f]{32}$`)

// isShown says whether a party is a number as the default policy shows it: with its
// last four digits masked, and a name that stands for it hashed.
func isShown(party any, number string) bool {
	shown, _ := party.(string)
	switch {
	case number == "Example Clinic":
		return hashed.MatchString(shown)
	case strings.Trim(number, "+*0123456789") != "":
		return shown == number // also if both are empty
	}
	visible := max(0, len(number)-hiddenDigits)
	return shown == number[:visible]+strings.Repeat("*", len(number)-visible)
}

// printed is what JSON lines must say of a call by default.
func printed(c *simulator.Call, v *simulator.Version) map[string]any {
	number := func(n *int64) any {
		if n == nil {
			return nil
		}
		return float64(*n)
	}
	var sip, sub *int64
	if v.Kind.SIPCode.Known {
		sip = &v.Kind.SIPCode.Value
	}
	if v.Kind.SubCode.Known {
		sub = &v.Kind.SubCode.Value
	}
	return map[string]any{
		"start": c.Start.Format(time.RFC3339Nano), "direction": v.Kind.Direction.String(), "call_type": v.Kind.CallType,
		"outcome": v.Kind.Outcome.String(), "duration": v.Duration.Seconds(), "trunk": c.Trunk.Name,
		"country": text(c.Country()), "sip_code": number(sip), "sub_code": number(sub), "call_id": c.CallID.String(),
	}
}

// TestRecords: every record once, redacted as configured;
// no ledger is made.
func TestRecords(t *testing.T) {
	t.Parallel()
	spoilt := past(101, sim.PSTNMix(), 300)
	spoilt.Malformed = 0.05
	n := newTenant(t, sim.Settings{
		PSTN: world(t, spoilt), DirectRouting: world(t, past(102, sim.DirectRoutingMix(), 300)), PageSize: 50,
	})
	n.configure(settings{})
	for feed, w := range n.worlds {
		now := n.Now()
		want := view(w, now)
		x := n.records(feed, "jsonl")
		got := objects(t, x.out.String())
		if len(got) != want.Records {
			t.Errorf("%d records of %s are printed, want %d", len(got), feed, want.Records)
		}
		eachCall(w, now, func(c *simulator.Call, v *simulator.Version) {
			object := got[c.ID.String()]
			for name, value := range printed(c, v) {
				if object[name] != value {
					t.Errorf("%s of %s is %v, want %v", name, c.ID, object[name], value)
				}
			}
			if caller, callee := object["caller"], object["callee"]; !isShown(caller, c.Other) &&
				!isShown(callee, c.Other) {
				t.Errorf("the parties of %s are %v and %v, want a masked number", c.ID, caller, callee)
			}
			if c.User != nil && !v.Incomplete && (object["user"] == nil || object["user"] == c.User.Name) {
				t.Errorf("the user of %s is %v", c.ID, object["user"])
			}
		})
		if bad := len(linesWith(x.log.String(), "left out", "row ")); bad != want.Invalid {
			t.Errorf("%d malformed rows of %s are reported, want %d", bad, feed, want.Invalid)
		}
	}
	if _, err := os.Stat(n.ledger()); err == nil {
		t.Error("printing records made a ledger")
	}
}

// TestRecordsBesideTheDaemon: `records` needs no lock, leaves the ledger
// as it is, and hashes as the daemon does, with the ledger's key or the configured one.
func TestRecordsBesideTheDaemon(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"the ledger's key": "", "a configured key": ", hash_key_file: key"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t, sim.Settings{PSTN: world(t, past(103, sim.PSTNMix(), 300))})
			n.keep("key", "hash~hush~hush~hush")
			r := newReceiver(t, n.vault, otlpsink.Settings{})
			x := n.start(settings{OTLP: r.overHTTP(""), More: "privacy: {numbers: hash" + key + "}"}).ready()
			now := n.Now()
			x.counts(n, now)
			r.delivered(n, pstn, now)

			beside := objects(t, n.records(pstn, "jsonl").out.String())
			same := map[string]string{
				"cdr.caller.number": "caller", "cdr.callee.number": "callee", "cdr.user.name": "user",
				"cdr.user.id":                     "user_id",
				"cdr.msgraph.user_principal_name": "user_principal", "cdr.outcome": "outcome",
			}
			for _, l := range r.Logs() {
				for attribute, field := range same {
					if l.Attributes[attribute] != beside[l.RecordID][field] {
						t.Fatalf("%s of %s is %v in the log record, and `records` prints %v",
							attribute, l.RecordID, l.Attributes[attribute], beside[l.RecordID][field])
					}
				}
			}
			x.counts(n, now)
			x.stop()

			before := digests(t, n.ledger())
			after := objects(t, n.records(pstn, "jsonl").out.String())
			if text := fmt.Sprint(after); text != fmt.Sprint(beside) {
				t.Error("`records` prints something else once the daemon has ended")
			}
			if now := digests(t, n.ledger()); !maps.Equal(before, now) {
				t.Errorf("`records` changed the ledger's files: %v, before %v", now, before)
			}
		})
	}
}

// digests are hashes of a folder's files, but for -shm: it is where processes that have the ledger
// open meet, and holds nothing of it.
func digests(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), "-shm") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[entry.Name()] = fmt.Sprintf("%x", sha256.Sum256(data))
	}
	return all
}
