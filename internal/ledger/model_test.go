package ledger

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// model is the ledger as a few maps: what it must be equal to after any sequence
// of commits, failures, crashes and restarts.
type model struct {
	calls     map[string]modelCall
	counters  map[string]int64
	charges   map[string]cdr.Money
	logs      []string
	watermark time.Time
}

type modelCall struct {
	outcome   cdr.Outcome
	amount    string // empty if not known
	revisions int
	first     cdr.Outcome
}

func newModel() *model {
	return &model{calls: make(map[string]modelCall), counters: make(map[string]int64), charges: make(map[string]cdr.Money)}
}

// modelRow is what a test page says of a call.
type modelRow struct {
	id      string
	outcome cdr.Outcome
	amount  string
}

func (m *model) page(t *testing.T, rows []modelRow, watermark time.Time) {
	for _, row := range rows {
		m.row(t, row)
	}
	if watermark.After(m.watermark) {
		m.watermark = watermark
	}
}

func (m *model) row(t *testing.T, row modelRow) {
	old, known := m.calls[row.id]
	if !known {
		m.counters["cdr_calls_total{inbound,byot_in,"+row.outcome.String()+",sbc1.example.com,false}"]++
		m.calls[row.id] = modelCall{outcome: row.outcome, amount: row.amount, first: row.outcome}
		m.addMoney(t, "cdr_call_charges_total{inbound,byot_in,USD,usage,}", row.amount)
		m.logs = append(m.logs, fmt.Sprintf("cdr.call %s v1 %s", row.id, row.outcome))
		return
	}
	changed := old.outcome != row.outcome
	if changed {
		m.counters[fmt.Sprintf("cdr_call_outcome_changes_total{%s,%s}", old.outcome, row.outcome)]++
		old.outcome = row.outcome
	}
	if row.amount != "" && row.amount != old.amount {
		m.changeMoney(t, old.amount, row.amount)
		old.amount, changed = row.amount, true
	}
	if changed {
		old.revisions++
		if old.revisions <= loggedRevisions {
			m.logs = append(m.logs, fmt.Sprintf("cdr.call.revised %s v%d %s", row.id, old.revisions+1, row.outcome))
		}
	}
	m.calls[row.id] = old
}

func (m *model) addMoney(t *testing.T, key, amount string) {
	if amount == "" {
		return
	}
	was, now := m.charges[key], money(t, amount)
	m.charges[key] = was.Add(&now)
}

func (m *model) changeMoney(t *testing.T, old, now string) {
	if old == "" {
		m.addMoney(t, "cdr_call_charges_total{inbound,byot_in,USD,usage,}", now)
		return
	}
	was, is := money(t, old), money(t, now)
	difference, sign := is.Sub(&was), "debit"
	if difference.Sign() < 0 {
		difference, sign = difference.Neg(), "credit"
	}
	m.addMoney(t, "cdr_call_charge_corrections_total{inbound,byot_in,USD,usage,,"+sign+"}", difference.String())
}

// check compares the ledger with the model.
func (m *model) check(r *rig) {
	r.t.Helper()
	got := r.values()
	for key, n := range m.counters {
		if got[key] != fmt.Sprint(n) {
			r.t.Fatalf("%s = %q, model has %d", key, got[key], n)
		}
	}
	var total int64
	for key, v := range got {
		if strings.HasPrefix(key, "cdr_calls_total") {
			var n int64
			_, _ = fmt.Sscan(v, &n)
			total += n
		}
	}
	if total != int64(len(m.calls)) {
		r.t.Fatalf("%d calls counted, model has %d", total, len(m.calls))
	}
	for key, sum := range m.charges {
		if want := fmt.Sprintf("%g", sum.Float()); sum.Sign() != 0 && got[key] != want {
			r.t.Fatalf("%s = %q, model has %s", key, got[key], want)
		}
	}
	logs := r.logs()
	if len(logs) != len(m.logs) {
		r.t.Fatalf("%d log records, model has %d", len(logs), len(m.logs))
	}
	for i, want := range m.logs {
		if !strings.HasPrefix(logs[i], want+" ") {
			r.t.Fatalf("log %d = %q, model has %q", i, logs[i], want)
		}
	}
	if s := r.feed.State(); !m.watermark.IsZero() && !s.Watermark.Equal(m.watermark) {
		r.t.Fatalf("watermark %v, model has %v", s.Watermark, m.watermark)
	}
}

// TestModel drives random pages, failures at any write, crashes at any write,
// commits with an unknown end, drained batches and restarts against the model.
func TestModel(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			newDrive(t, uint64(seed)).run(80)
		})
	}
}

// drive is one random run.
type drive struct {
	*rig
	rng   *rand.Rand
	model *model
}

func newDrive(t *testing.T, seed uint64) *drive {
	d := &drive{rig: newRig(t), rng: rand.New(rand.NewPCG(seed, 1)), model: newModel()}
	d.live()
	return d
}

func (d *drive) run(steps int) {
	for range steps {
		d.clock.add(time.Duration(d.rng.IntN(20)) * time.Second)
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
	outcomes := []cdr.Outcome{cdr.Answered, cdr.Busy, cdr.Failed}
	amounts := []string{"", "0.1", "0.25", "3"}
	for range d.rng.IntN(40) {
		row := modelRow{
			id:      fmt.Sprintf("id%d", d.rng.IntN(60)),
			outcome: outcomes[d.rng.IntN(len(outcomes))],
			amount:  amounts[d.rng.IntN(len(amounts))],
		}
		rows = append(rows, row)
		record := call(row.id, outcome(row.outcome), start(epoch.Add(-5*time.Minute)))
		if row.amount != "" {
			charge(d.t, "usage", "USD", row.amount)(record)
		}
		page.Records = append(page.Records, record)
	}
	if d.rng.IntN(2) == 0 {
		page.Position = &Position{Watermark: d.clock.at.Add(-time.Minute), Plan: []byte("{}")}
	}
	return rows, page
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
	left, image, durable := d.rng.IntN(12), "", false
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
	if image == "" || durable {
		d.model.page(d.t, rows, watermarkOf(page))
	}
	if image != "" {
		d.crash(image)
	}
}

// unknown commits a page whose COMMIT says nothing.
func (d *drive) unknown() {
	rows, page := d.randomPage()
	point := []string{"commit", "committed"}[d.rng.IntN(2)]
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
	batch, err := d.ledger.Next(d.t.Context())
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
