package ledger

import (
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// asWritten are the statements that make of a file what a program of an older layout
// would have written, from the newest layout backwards.
var asWritten = map[int][]string{
	2: {
		`DROP TABLE activity`, `DROP TABLE trunks`, `DROP TABLE connected`, `ALTER TABLE feeds DROP COLUMN connected_from`,
		`DELETE FROM catalogue WHERE metric = 'cdr_call_peak_concurrency'`,
	},
	1: {
		`DROP INDEX work_due`,
		`DELETE FROM catalogue WHERE metric LIKE 'cdr_media_j%' OR metric LIKE 'cdr_session%'`, // metrics came too
	},
}

// makeOlder turns the rig's file into one of an older layout.
func (r *rig) makeOlder(version string) {
	r.t.Helper()
	r.untime()
	for v := schemaVersion - 1; v > 0; v-- {
		for _, statement := range asWritten[v] {
			if _, err := r.ledger.engine.exec(statement); err != nil {
				r.t.Fatal(err)
			}
		}
		if version == string(rune('0'+v)) {
			break
		}
	}
	if _, err := r.ledger.engine.exec(`UPDATE meta SET value = ? WHERE name = 'schema'`, version); err != nil {
		r.t.Fatal(err)
	}
}

// untime brings the ids to the form that they had before they told where they are counted.
func (r *rig) untime() {
	r.t.Helper()
	rows, err := r.ledger.engine.query(`SELECT hash, data FROM seen`)
	if err != nil {
		r.t.Fatal(err)
	}
	older := make(map[string][]byte)
	err = scanAll(rows, func() error {
		var key, data []byte
		if err := rows.Scan(&key, &data); err != nil {
			return err
		}
		if h, body := splitRow(data); body != nil {
			h.counted = counted{}
			older[string(key)] = append(h.append(nil), body...)
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	for key, data := range older {
		if _, err := r.ledger.engine.exec(`UPDATE seen SET data = ? WHERE hash = ?`, data, []byte(key)); err != nil {
			r.t.Fatal(err)
		}
	}
}

// A ledger of an older layout is brought to this one and read on.
func TestOlderLedgerIsRead(t *testing.T) {
	for _, version := range []string{"1", "2"} {
		t.Run(version, func(t *testing.T) {
			r := newRig(t)
			r.live()
			r.records(call("a"), call("f", outcome(cdr.Failed)))
			r.makeOlder(version)
			r.reopen()
			if got, err := r.ledger.engine.version(t.Context()); err != nil || got != schemaVersion {
				t.Errorf("layout %d, %v", got, err)
			}
			if got := r.records(call("a"), call("b", sessions("s1"))); got.Duplicate != 1 || got.New != 1 {
				t.Errorf("%+v", got)
			}
			// Of what was counted before there was an activity nothing is taken off it.
			r.records(call("f", outcome(cdr.Busy)), call("g", outcome(cdr.Failed)))
			wantActivity(t, r, "-10m 2/1")
			r.reopen()
			wantValues(t, r.values(), map[string]string{
				answered: "2", "cdr_sessions_total{ok,audio}": "1", "cdr_call_outcome_changes_total{failed,busy}": "1",
			})
			if stored, err := r.ledger.storedCatalogue(); err != nil || len(stored) != len(metrics.Catalogue()) {
				t.Errorf("%d metrics in the ledger, %v", len(stored), err)
			}
		})
	}
}
