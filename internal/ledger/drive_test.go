package ledger

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/soak"
)

// TestModel drives random pages, failures at any write, crashes at any write,
// commits with an unknown end, drained batches and restarts against the model.
func TestModel(t *testing.T) {
	for _, kind := range []struct {
		name                      string
		grouped, family, hourless bool
	}{
		{"plain", false, false, false},
		{"grouped", true, false, false},
		{"family", false, true, false},
		{"both", true, true, false},
		{"hourless", false, false, true},
		{"hourless and grouped", true, false, true},
	} {
		for seed := range seeds(2) {
			t.Run(fmt.Sprintf("%s, seed %d", kind.name, seed), func(t *testing.T) {
				t.Parallel()
				newDrive(t, seed, kind.grouped, kind.family, kind.hourless).run(80)
			})
		}
	}
}

// seeds is how many random runs a test has. On PostgreSQL each takes five times as long, and most of what they try has no part in the database.
func seeds(usual uint64) uint64 {
	if server != "" || testing.Short() {
		usual /= 2
	}
	return soak.Seeds(usual)
}

// drive is one random run.
type drive struct {
	*rig
	rng      *rand.Rand
	model    *model
	grouped  bool
	hourless bool
	parents  [ids]string // by the number of the id
}

// ids is how many records a run has.
const ids = 60

func newDrive(t *testing.T, seed uint64, grouped, family, hourless bool) *drive {
	d := &drive{rng: rand.New(rand.NewPCG(seed, 1)), model: newModel(), grouped: grouped, hourless: hourless}
	if hourless {
		d.rig = newHourlessRig(t)
	} else {
		d.rig = newRig(t)
		d.spec.LateAfter = 48 * time.Hour
	}
	d.model.family, d.spec.Parents = family, family
	if seed%3 != 0 { // a small one: what is known comes and goes
		d.idMemory, d.journal = 1+d.rng.IntN(8000), journalBytes
	}
	if family {
		for i := range d.parents {
			if d.rng.IntN(2) == 0 {
				d.parents[i] = fmt.Sprintf("id%d", d.rng.IntN(ids)) // itself and rings too
			}
		}
	}
	d.reopen()
	d.live()
	return d
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
			d.failing()
		case 4, 5:
			d.crashing()
		case 6:
			d.unknown()
		default:
			rows, page := d.randomPage()
			d.commit(page)
			d.model.page(d.t, rows, watermarkOf(page))
		}
		d.model.check(d.rig)
	}
}

func watermarkOf(p *Page) time.Time {
	if p.Position == nil {
		return time.Time{}
	}
	return p.Position.Watermark
}

// randomPage has repeats, revisions and sometimes a position.
func (d *drive) randomPage() ([]modelRow, *Page) {
	var rows []modelRow
	page := &Page{ObservedAt: d.clock.at}
	outcomes := []cdr.Outcome{cdr.Answered, cdr.Busy, cdr.Failed, cdr.Voicemail}
	amounts := []string{"", "0.1", "0.25", "3"}
	for range d.rng.IntN(40) {
		n := d.rng.IntN(ids)
		row := modelRow{
			id:      fmt.Sprintf("id%d", n),
			outcome: outcomes[d.rng.IntN(len(outcomes))],
			amount:  amounts[d.rng.IntN(len(amounts))],
			parent:  d.parents[n],
			renamed: d.rng.IntN(4) == 0,
			byOther: d.rng.IntN(4) == 0,
		}
		if d.grouped && n%4 > 0 {
			row.group = fmt.Sprint("session", n%13)
		}
		if d.hourless {
			d.addSessions(&row)
		}
		record := d.record(row, n)
		row.start = record.Start
		rows = append(rows, row)
		page.Records = append(page.Records, record)
	}
	if d.rng.IntN(2) == 0 {
		page.Position = &Position{Watermark: d.clock.at.Add(-time.Minute), Plan: []byte("{}")}
	}
	return rows, page
}

// addSessions makes a row one of a feed without hours: any version in any order, with some
// sessions and another start.
func (d *drive) addSessions(row *modelRow) {
	row.version = int64(1 + d.rng.IntN(6))
	row.moved = -time.Duration(d.rng.IntN(30)) * time.Hour
	for s := range 3 {
		if d.rng.IntN(2) == 0 {
			row.sessions = append(row.sessions, fmt.Sprint("s", s))
		}
	}
	row.settled = d.rng.IntN(3) == 0
}

// record is a row as a provider would give it. Those of one session or family start up
// to 18 hours apart.
func (d *drive) record(row modelRow, n int) *cdr.Record {
	record := call(row.id, outcome(row.outcome), start(epoch.Add(-5*time.Minute-time.Duration(n%4)*6*time.Hour)))
	record.AltIDs = []string{otherID(row.id)}
	if row.renamed {
		record.ID, record.AltIDs = otherID(row.id), []string{row.id}
	}
	record.Group, record.Parent = row.group, row.parent
	if d.hourless {
		record.Start, record.Version, record.Settled = record.Start.Add(row.moved), row.version, row.settled
		sessions(row.sessions...)(record)
		stream(false)(record)
		stream(true)(record)
		bypass(cdr.True)(record)
		// A view lies no further from its session's others than two days.
		if !d.grouped {
			record.Start = record.Start.Add(-time.Duration(n%7) * 24 * time.Hour)
		}
	}
	if row.byOther && row.parent != "" {
		record.Parent = otherID(row.parent)
	}
	if row.amount != "" {
		charge(d.t, "usage", "USD", row.amount)(record)
	}
	return record
}

var errInjected = errors.New("injected")

// failing commits a page of which a random write fails, then again.
func (d *drive) failing() {
	rows, page := d.randomPage()
	left := d.rng.IntN(12)
	d.probe = func(point string) error {
		if left--; left == 0 && point != "committed" {
			return errInjected
		}
		return nil
	}
	_, err := d.feed.Commit(d.t.Context(), page)
	d.probe = nil
	if err == nil {
		d.model.page(d.t, rows, watermarkOf(page))
		return
	}
	d.model.check(d.rig)
}

// crashing takes an image of the files at a random write and goes on with it.
func (d *drive) crashing() {
	rows, page := d.randomPage()
	left, image, durable := d.rng.IntN(12), Storage{}, false
	d.probe = func(point string) error {
		if left--; left == 0 {
			image, durable = d.image(), point == "committed"
		}
		return nil
	}
	_, err := d.feed.Commit(d.t.Context(), page)
	d.probe = nil
	if err != nil {
		d.t.Fatalf("commit: %v", err)
	}
	if image == (Storage{}) || durable {
		d.model.page(d.t, rows, watermarkOf(page))
	}
	if image != (Storage{}) {
		d.crash(image)
	}
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
	err := d.feed.moveJournal(d.t.Context())
	d.probe = nil
	if err != nil && fault != 0 {
		d.t.Fatal(err)
	}
	if image != (Storage{}) {
		d.crash(image)
	}
	d.model.check(d.rig)
}

// unknown commits a page whose COMMIT says nothing.
func (d *drive) unknown() {
	rows, page := d.randomPage()
	point := []string{"COMMIT", "committed"}[d.rng.IntN(2)]
	d.probe = func(at string) error {
		if at == point {
			d.probe = nil
			return errInjected
		}
		return nil
	}
	_, err := d.feed.Commit(d.t.Context(), page)
	if (err == nil) != (point == "committed") {
		d.t.Fatalf("failed at %s: %v", point, err)
	}
	if err == nil {
		d.model.page(d.t, rows, watermarkOf(page))
	}
}

// ackFirst drains the oldest batch.
func (d *drive) ackFirst() {
	batch, err := d.ledger.Next(d.t.Context(), 0)
	if err != nil {
		d.t.Fatal(err)
	}
	if batch == nil {
		return
	}
	if err := d.ledger.Ack(d.t.Context(), batch.ID); err != nil {
		d.t.Fatal(err)
	}
	if got := strings.Count(string(batch.Data), "\n"); got != batch.Records {
		d.t.Fatalf("batch says %d records, has %d", batch.Records, got)
	}
	d.model.logs = d.model.logs[batch.Records:]
}
