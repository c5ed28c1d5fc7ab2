package ledger

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// inspect looks into the rig's ledger.
func (r *rig) inspect(look func(*Inspector)) {
	r.t.Helper()
	i, err := r.storage.Inspect(r.t.Context())
	require.NoError(r.t, err)
	look(i)
	require.NoError(r.t, i.Close())
}

// wantSound expects that verify finds nothing.
func wantSound(t *testing.T, i *Inspector) {
	t.Helper()
	if problems := i.Verify(func(string, int) {}); len(problems) > 0 {
		t.Errorf("verify says %v", problems)
	}
}

// Inspect reports items that are set aside, with their reasons, while the ledger is open.
func TestInspect(t *testing.T) {
	r := newCallRig(t)
	r.records(call("a"), call("b", inGroup("s"), start(epoch.Add(-3*time.Hour))))
	r.settled()
	r.packIDs()
	bad := func(text, problem string) counting.BadRow {
		return counting.BadRow{Content: []byte(text), Problem: problem}
	}
	r.commit(&counting.Page{
		Records: []*cdr.Record{call("c")},
		Invalid: []counting.BadRow{bad("1", "no start"), bad("2", "no start"), bad("3", "no id")},
		Enqueue: []work.Item{
			{Kind: "fetch", Key: "k", Due: epoch},
			{Kind: "fetch", Key: "gone", Due: epoch, SetAside: true, Problem: "404"},
			{Kind: "fetch", Key: "failed", Due: epoch, Attempts: 1},
			{Kind: work.Span, Key: "2026-03-01T12:00:00Z/2026-03-01T13:00:00Z", Due: epoch},
		},
	})
	r.inspect(func(i *Inspector) {
		feeds, err := i.Feeds()
		if err != nil || len(feeds) != 1 {
			t.Fatalf("%+v, %v", feeds, err)
		}
		f := feeds[0]
		if f.State.Calls != 3 || f.Journal != 1 || f.Waiting != 4 || f.SetAside != 1 ||
			owed(f.Owed) != "fetch gone, fetch failed, span 2026-03-01T12:00:00Z/2026-03-01T13:00:00Z" ||
			f.Owed[0].Problem != "404" {
			t.Errorf("%+v", f)
		}
		if len(f.Buckets) != 3 || f.Buckets[0].IDs != 1 || f.Buckets[1].IDs != 1 || f.Buckets[2].Hour ||
			!f.Buckets[1].Start.Equal(epoch.Add(-time.Hour)) {
			t.Errorf("buckets %+v", f.Buckets)
		}
		if len(f.BadRows) != 2 || f.BadRows[0] != (BadRowReport{Problem: "no start", Rows: 2, Last: r.clock.at}) {
			t.Errorf("rows set aside %+v", f.BadRows)
		}
		wantSound(t, i)
	})
	if _, _, err := Compact(t.Context(), r.storage); server == "" && !errors.Is(err, ErrLocked) {
		t.Errorf("compact beside an open ledger: %v", err)
	}
}

// owed are the kinds and keys of items.
func owed(items []work.Item) string {
	var all []string
	for _, w := range items {
		all = append(all, w.Kind+" "+w.Key)
	}
	return strings.Join(all, ", ")
}

// Compacting gives room back and leaves everything known.
func TestCompact(t *testing.T) {
	r := newLiveRig(t)
	for i := range 8 {
		r.records(call(string(rune('a'+i))), call("again", outcome(cdr.Outcome(1+i%4))))
		r.packIDs()
	}
	before := r.remembered()
	r.exec(`INSERT INTO meta VALUES ('large', hex(zeroblob(100000)))`)
	r.exec(`DELETE FROM meta WHERE name = 'large'`)
	r.close()
	if took, after, err := Compact(t.Context(), r.storage); err != nil || after == 0 || after >= took {
		t.Fatalf("%d bytes, %d before, %v", after, took, err)
	}
	r.open()
	if after := r.remembered(); len(after) != len(before) {
		t.Errorf("%d ids, %d before", len(after), len(before))
	}
	if got := r.records(call("a"), call("again", outcome(cdr.Outcome(4)))); got.Duplicate != 2 {
		t.Errorf("%+v", got)
	}
}

// Verify finds ids that were lost and ids that were never counted.
func TestVerifyFindsDamage(t *testing.T) {
	for name, spoil := range map[string]string{
		"lost ids":       `DELETE FROM journal`,
		"calls":          `UPDATE feeds SET records = records + 1 WHERE id > 0`,
		"series":         `UPDATE series SET value = '7' WHERE metric = 'cdr_calls_total'`,
		"outbox":         `UPDATE outbox SET data = x'ff'`,
		"a journal":      `UPDATE journal SET data = x'00'`,
		"a state":        `UPDATE journal SET data = CAST(substr(data, 1, length(data) - 1) AS BLOB)`,
		"another layout": `UPDATE meta SET value = '1' WHERE name = 'schema'`,
	} {
		t.Run(name, func(t *testing.T) {
			r := newLiveRig(t)
			r.records(call("a", alts("a2")), call("b"))
			r.exec(inWords(spoil))
			i, err := r.storage.Inspect(t.Context())
			if err != nil {
				return // found out at once
			}
			if problems := i.Verify(func(string, int) {}); len(problems) == 0 {
				t.Error("nothing found")
			}
			require.NoError(t, i.Close())
		})
	}
}

// Looking into a ledger ends with its context: a stop of the exporter waits for its audit, which has no other limit.
func TestInspectEndsWithItsContext(t *testing.T) {
	r := newRig(t)
	r.exec(`BEGIN IMMEDIATE`)
	r.exec(`LOCK TABLE feeds`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	i, err := r.storage.Inspect(ctx) // it would read on when the server has ended the transaction
	if err == nil {
		err = i.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error("it didn't end with its context:", err)
	}
	if _, err := r.ledger.engine.Exec(`ROLLBACK`); err != nil {
		t.Error("it was waited for until the server ended it:", err)
	}
}

// A damaged call stops the commit and says what to do, whether it waits or is counted; nothing is counted by guess.
func TestDamagedCallIsRefused(t *testing.T) {
	for name, damage := range map[string]func(r *rig){
		"counted": func(r *rig) {
			r.settled()
			for at := range r.remembered() {
				if byFact(at.bucket) {
					r.remember(at.bucket, at.key, []byte{rowCall, 9})
				}
			}
		},
		"waits": func(r *rig) {
			r.exec(`UPDATE tasks SET data = '[{'`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newCallRig(t)
			r.records(leg("a"))
			damage(r)
			before := r.values()
			for _, record := range []*cdr.Record{leg("b"), leg("a", outcome(cdr.Busy))} {
				if _, err := r.try(record); !errors.Is(err, counting.ErrRow) {
					t.Errorf("%s: %v", record.ID, err)
				}
			}
			wantValues(t, r.values(), before)
			r.inspect(func(i *Inspector) {
				if problems := i.Verify(func(string, int) {}); len(problems) == 0 {
					t.Error("verify finds nothing")
				}
			})
			verifying = false // it would find the same
			t.Cleanup(func() { verifying = true })
		})
	}
}

// A record whose row was cut is damage that a commit reports, whatever its next version brings: the process goes on.
func TestCutRowIsReported(t *testing.T) {
	for name, next := range map[string]func(*cdr.Record){
		"settled":   settled,
		"emergency": func(r *cdr.Record) { r.Emergency = cdr.EmergencyReal },
	} {
		t.Run(name, func(t *testing.T) {
			r := newMovingStartRig(t)
			r.records(call("a"))
			for at := range r.remembered() {
				r.remember(at.bucket, at.key, []byte{rowRecord})
			}
			if _, err := r.try(call("a", next)); !errors.Is(err, counting.ErrRow) {
				t.Errorf("got %v", err)
			}
		})
	}
}
