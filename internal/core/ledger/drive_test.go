package ledger

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/long"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestATroubledLedgerEqualsAQuietOne (guarantee 1; counting.md 1, 16, 36) drives random pages,
// failures at any write, crashes at any
// write, commits with an unknown end, drained batches and restarts. The ledger must count and log the
// same as one that got the same pages without trouble. The tests of internal/core/counting check what
// pages mean.
func TestATroubledLedgerEqualsAQuietOne(t *testing.T) {
	for _, kind := range []struct {
		name  string
		rules counting.Rules
		group bool
	}{
		{"plain", counting.Rules{}, false},
		{"legs", counting.Rules{Legs: true}, true},
		{"legs with parents", counting.Rules{Legs: true, Parents: true}, true},
		{"legs by arrival", counting.Rules{Legs: true, ByArrival: true, Whole: true}, true},
		{"moving", moving(true), false},
	} {
		for seed := range seeds(2) {
			t.Run(fmt.Sprintf("%s, seed %d", kind.name, seed), func(t *testing.T) {
				t.Parallel()
				newDrive(t, seed, kind.rules, kind.group).run(80)
			})
		}
	}
}

// seeds is how many random runs a test has. On PostgreSQL each takes five times as long, and most
// of what they try has no part in the database.
func seeds(usual uint64) uint64 {
	if server != "" || testing.Short() {
		usual /= 2
	}
	return long.Seeds(usual)
}

// drive is one random run.
type drive struct {
	*rig
	rng     *rand.Rand
	quiet   *rig     // gets the same pages without trouble
	drained []string // log records that left the outbox
	grouped bool
	parents [driven]string // by the number of the id
}

// driven is how many records there are.
const driven = 60

func newDrive(t *testing.T, seed uint64, rules counting.Rules, grouped bool) *drive {
	d := &drive{
		rng: rand.New(rand.NewPCG(seed, 1)), grouped: grouped, rig: newRig(t),
		quiet: openRig(t, Storage{Folder: t.TempDir()}),
	}
	d.quiet.clock = d.clock
	d.quiet.useKeyOf(d.rig)
	for _, r := range []*rig{d.rig, d.quiet} {
		r.spec.Rules, r.spec.History, r.spec.LateAfter = rules, 240*time.Hour, 1000*time.Hour
		r.spec.Settle, r.spec.WholeAfter = time.Minute, 24*time.Hour
		r.tuning.Privacy.Users = cdr.Drop // each ledger has another key
	}
	if seed%3 != 0 { // a small one: what is known comes and goes
		d.idMemory, d.journal = 1+d.rng.IntN(8000), 2<<20
	}
	if rules.Parents {
		for i := range d.parents {
			if d.rng.IntN(2) == 0 {
				d.parents[i] = fmt.Sprintf("id%d", d.rng.IntN(driven)) // itself and rings too
			}
		}
	}
	for _, r := range []*rig{d.rig, d.quiet} {
		r.reopen()
		r.commit(r.read())
	}
	return d
}

// useKeyOf has an empty ledger know records by the key of another one, so that both log calls in
// the same order. It is good from its next opening on.
func (r *rig) useKeyOf(other *rig) {
	r.t.Helper()
	secret, err := readMeta(&other.ledger.engine.Session, "key")
	if err == nil {
		_, err = r.ledger.engine.Exec(`UPDATE meta SET value = ? WHERE name = 'key'`, secret)
	}
	if err == nil {
		_, err = r.ledger.engine.Exec(`UPDATE feeds SET key_check = ? WHERE id > 0`, other.feed.keyCheck)
	}
	require.NoError(r.t, err)
}

func (d *drive) run(steps int) {
	for range steps {
		d.clock.add(time.Duration(d.rng.IntN(20)) * time.Second)
		if d.rng.IntN(3) == 0 {
			d.moving()
		}
		switch d.rng.IntN(10) {
		case 0:
			d.reopen()
		case 1:
			d.ackFirst()
		case 2, 3:
			if page := d.randomPage(); d.failing(d.rng, page) {
				d.quiet.commit(page)
			}
		case 4, 5:
			if page := d.randomPage(); d.crashing(d.rng, page) {
				d.quiet.commit(page)
			}
		case 6:
			d.unknown()
		default:
			page := d.randomPage()
			d.commit(page)
			d.quiet.commit(page)
		}
		d.check()
	}
	if d.total("cdr_calls_total") == 0 || d.grouped && d.total("cdr_call_outcome_changes_total") == 0 {
		d.t.Error("nothing was counted: this shows nothing")
	}
}

// check compares both ledgers.
func (d *drive) check() {
	d.t.Helper()
	got, want := d.values(), d.quiet.values()
	for _, all := range []map[string]string{got, want} { // the gauge covers the time since a restart
		maps.DeleteFunc(all, func(key, _ string) bool { return strings.HasPrefix(key, metrics.MediaBypassRatio.Name) })
	}
	if !maps.Equal(got, want) {
		wantValues(d.t, got, want)
		d.t.Fatalf("%d series, the quiet ledger has %d", len(got), len(want))
	}
	if got, want := slices.Concat(d.drained, d.logs()), d.quiet.logs(); !slices.Equal(got, want) {
		d.t.Fatalf("log records %q, the quiet ledger has %q", got, want)
	}
	if got, want := d.ledger.Store().LastAttempts(), d.quiet.ledger.Store().LastAttempts(); !reflect.DeepEqual(got,
		want) {
		d.t.Fatalf("last attempts %v, the quiet ledger has %v", got, want)
	}
	if got, want := d.feed.waitingCalls, d.quiet.feed.waitingCalls; got != want {
		d.t.Fatalf("%d calls wait, %d in the quiet ledger", got, want)
	}
	if got, want := d.feed.State(), d.quiet.feed.State(); got.Calls != want.Calls ||
		!got.Watermark.Equal(want.Watermark) || !got.NewestCall.Equal(want.NewestCall) {
		d.t.Fatalf("state %+v, the quiet ledger has %+v", got, want)
	}
}

// randomPage has repeats, revisions and sometimes a position.
func (d *drive) randomPage() *counting.Page {
	page := &counting.Page{ObservedAt: d.clock.at}
	for range d.rng.IntN(40) {
		page.Records = append(page.Records, d.record(d.rng.IntN(driven)))
	}
	if d.rng.IntN(2) == 0 {
		page.Position = &counting.Position{
			Watermark: d.clock.at.Add(-time.Minute), Resume: []byte("{}"),
			Read: &counting.Read{Began: d.clock.at},
		}
	}
	return page
}

// record is a version of the n-th record, under one of its two ids. Those of one call or family
// start up to 18 hours apart.
func (d *drive) record(n int) *cdr.Record {
	outcomes := []cdr.Outcome{cdr.Answered, cdr.Busy, cdr.Failed, cdr.Voicemail}
	id, other := fmt.Sprintf("id%d", n), fmt.Sprintf("xid%d", n)
	if d.rng.IntN(4) == 0 {
		id, other = other, id
	}
	record := call(id, alts(other), outcome(outcomes[d.rng.IntN(len(outcomes))]),
		start(epoch.Add(-5*time.Minute-time.Duration(n%4)*6*time.Hour)))
	if record.Parent = d.parents[n]; record.Parent != "" && d.rng.IntN(4) == 0 {
		record.Parent = "x" + record.Parent
	}
	if d.grouped && n%4 > 0 {
		record.CallKey = fmt.Sprint("session", n%13)
		record.Whole, record.Provisional = n%2 == 0, d.rng.IntN(5) == 0
	}
	if amount := []string{"", "0.1", "0.25", "3"}[d.rng.IntN(4)]; amount != "" {
		charge(d.t, "usage", "USD", amount)(record)
	}
	if d.spec.Grows {
		d.addParts(record, n)
	}
	return record
}

// addParts gives a record any version in any order, with some sessions and another start.
func (d *drive) addParts(record *cdr.Record, n int) {
	record.Version, record.Settled = int64(1+d.rng.IntN(6)), d.rng.IntN(3) == 0
	record.Start = record.Start.Add(-time.Duration(d.rng.IntN(30)) * time.Hour)
	record.Start = record.Start.Add(-time.Duration(n%7) * 24 * time.Hour)
	for _, s := range []string{"s0", "s1", "s2"} {
		if d.rng.IntN(2) == 0 {
			sessions(s)(record)
		}
	}
	stream(false)(record)
	stream(true)(record)
	bypass(cdr.True)(record)
}

var errInjected = errors.New("injected")

// failing commits a page of which a random write may fail, and says whether it did commit it.
func (r *rig) failing(rng *rand.Rand, page *counting.Page) bool {
	left := rng.IntN(12)
	r.probe = func(point string) error {
		if left--; left == 0 && point != "committed" {
			return errInjected
		}
		return nil
	}
	_, err := r.tryPage(page)
	r.probe = nil
	return err == nil
}

// crashing takes an image of the files at a random write, goes on with it, and says whether it has the page.
func (r *rig) crashing(rng *rand.Rand, page *counting.Page) bool {
	left, image, durable := rng.IntN(12), Storage{}, false
	r.probe = func(point string) error {
		if left--; left == 0 {
			image, durable = r.image(), point == "committed"
		}
		return nil
	}
	_, err := r.tryPage(page)
	r.probe = nil
	if err != nil {
		r.t.Fatalf("commit: %v", err)
	}
	if image == (Storage{}) {
		return true
	}
	r.crash(image)
	return durable
}

// moving moves the journal into blocks, with a failure, an unknown end or a crash at any write, or none.
func (d *drive) moving() {
	left, fault, image := d.rng.IntN(12), d.rng.IntN(4), Storage{}
	d.probe = func(point string) error {
		if left--; left != 0 {
			return nil
		}
		switch fault {
		case 0:
			return errInjected
		case 1:
			image = d.image()
		}
		return nil
	}
	err := d.feed.packIDs(d.t.Context())
	d.probe = nil
	if err != nil && fault != 0 {
		d.t.Fatal(err)
	}
	if image != (Storage{}) {
		d.crash(image)
	}
	d.check()
}

// unknown commits a page whose COMMIT says nothing.
func (d *drive) unknown() {
	page := d.randomPage()
	point := []string{"COMMIT", "committed"}[d.rng.IntN(2)]
	d.failOnce(point, errInjected)
	_, err := d.tryPage(page)
	if (err == nil) != (point == "committed") {
		d.t.Fatalf("failed at %s: %v", point, err)
	}
	if err == nil {
		d.quiet.commit(page)
	}
}

// ackFirst drains the oldest batch.
func (d *drive) ackFirst() {
	batch := d.next()
	if batch == nil {
		return
	}
	d.ack(batch.ID)
	if got := strings.Count(string(batch.Data), "\n"); got != batch.Records {
		d.t.Fatalf("batch says %d records, has %d", batch.Records, got)
	}
	for line := range strings.Lines(string(batch.Data)) {
		d.drained = append(d.drained, strings.TrimSpace(line))
	}
}
