package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// model is the ledger as a few maps: what it must be equal to after any sequence
// of commits, failures, crashes and restarts.
type model struct {
	calls     map[string]modelCall
	further   int // those that are further views of a session
	groups    map[string]modelGroup
	family    bool            // records have parents
	failed    map[string]bool // ids that failed at first
	told      map[string]bool // ids of which a child has counted its failure
	counters  map[string]int64
	charges   map[string]cdr.Money
	logs      []string
	recent    []modelAttempt // oldest first
	watermark time.Time
}

// modelAttempt is one of the last attempts.
type modelAttempt struct {
	start   time.Time
	outcome cdr.Outcome
}

type modelCall struct {
	outcome   cdr.Outcome
	amount    string // empty if not known
	revisions int
	further   bool
	version   int64
	moved     time.Duration
	sessions  map[string]bool
	settled   bool
}

// modelGroup is a session that is listed once per view.
type modelGroup struct {
	outcome cdr.Outcome
	other   bool // a further view is connected
}

func newModel() *model {
	return &model{
		calls: make(map[string]modelCall), counters: make(map[string]int64), charges: make(map[string]cdr.Money),
		groups: make(map[string]modelGroup), failed: make(map[string]bool), told: make(map[string]bool),
	}
}

// modelRow is what a test page says of a call.
type modelRow struct {
	id      string
	outcome cdr.Outcome
	amount  string
	// group and parent are the id's own and stay; renamed says that the row comes
	// under its other id, byOther that its parent is named by its.
	group, parent    string
	start            time.Time
	renamed, byOther bool
	// Of a feed without hours: the start has moved, and there are sessions.
	version  int64
	moved    time.Duration
	sessions []string
	settled  bool
}

func (m *model) page(t *testing.T, rows []modelRow, watermark time.Time) {
	slices.SortStableFunc(rows, func(a, b modelRow) int { return cmp.Compare(a.version, b.version) })
	rows = m.inOrder(rows)
	before := len(m.recent)
	for _, row := range rows {
		m.row(t, row)
		m.takeSessions(row)
	}
	slices.SortStableFunc(m.recent[before:], func(a, b modelAttempt) int { return a.start.Compare(b.start) })
	m.recent = m.recent[max(0, len(m.recent)-64):]
	for _, row := range slices.Backward(rows) {
		m.settle(row)
	}
	if watermark.After(m.watermark) {
		m.watermark = watermark
	}
}

// name is the id under which a row comes.
func (row modelRow) name() string {
	if row.renamed {
		return otherID(row.id)
	}
	return row.id
}

func otherID(id string) string { return "x" + id }

// inOrder puts rows in the order in which they count: the connected views of sessions first, and a parent before its children.
func (m *model) inOrder(rows []modelRow) []modelRow {
	var views, others []modelRow
	seen := make(map[string]bool)
	for _, row := range rows {
		if row.group != "" && row.outcome.Connected() && !seen[row.id] {
			views = append(views, row)
		} else {
			others = append(others, row)
		}
		seen[row.id] = true
	}
	views = append(views, others...)
	if !m.family {
		return views
	}
	var all []modelRow
	placed := make(map[int]bool)
	var place func(i int)
	place = func(i int) {
		if placed[i] {
			return
		}
		placed[i] = true
		above := slices.IndexFunc(views, func(v modelRow) bool { return v.id == views[i].parent })
		if above >= 0 {
			place(above)
		}
		all = append(all, views[i])
	}
	for i := range views {
		place(i)
	}
	return all
}

// first counts a record that is new.
func (m *model) first(t *testing.T, row modelRow) {
	g, further := m.groups[row.group]
	m.calls[row.id] = modelCall{
		outcome: row.outcome, amount: row.amount, further: further, version: row.version, moved: row.moved, sessions: make(map[string]bool),
	}
	m.addMoney(t, "cdr_call_charges_total{inbound,byot_in,USD,usage,}", row.amount)
	m.logs = append(m.logs, fmt.Sprintf("cdr.call %s v1 %s", row.name(), row.outcome))
	failure := !row.outcome.Connected() && !m.accounted(row)
	if !further && (failure || row.outcome.Connected()) {
		m.recent = append(m.recent, modelAttempt{row.start, row.outcome})
	}
	switch {
	case further:
		m.further++
		m.connect(row, g)
		return
	case row.group != "":
		m.groups[row.group] = modelGroup{outcome: row.outcome}
	}
	m.counters["cdr_calls_total{inbound,byot_in,"+row.outcome.String()+",sbc1.example.com,false}"]++
	if failure {
		m.counters["cdr_call_failures_total{inbound,sbc1.example.com,"+row.outcome.String()+",,,,"+row.outcome.FaultDomain().String()+",false}"]++
	}
}

// accounted says whether the failure of a new record is counted elsewhere.
func (m *model) accounted(row modelRow) bool {
	if !m.family {
		return false
	}
	m.failed[row.id] = true
	if row.parent != "" && row.parent != row.id {
		if m.failed[row.parent] {
			return true
		}
		m.told[row.parent] = true
	}
	return m.told[row.id]
}

// takeSessions counts and logs what is new of a row's sessions.
func (m *model) takeSessions(row modelRow) {
	for _, s := range row.sessions {
		if known := m.calls[row.id].sessions; !known[s] {
			known[s] = true
			m.counters["cdr_sessions_total{ok,audio}"]++
			m.logs = append(m.logs, fmt.Sprintf("cdr.session %s/%s v1 ok", row.name(), s))
		}
	}
}

// settle counts the two streams and the media bypass of a call, once.
func (m *model) settle(row modelRow) {
	c := m.calls[row.id]
	if !row.settled || c.settled {
		return
	}
	c.settled = true
	m.calls[row.id] = c
	if c.further {
		return
	}
	m.counters[goodStream]++
	m.counters[poorStream]++
	m.counters[bypassed]++
}

// connect takes what a further view says of its session.
func (m *model) connect(row modelRow, g modelGroup) {
	if !row.outcome.Connected() || g.other {
		return
	}
	if !g.outcome.Connected() {
		m.change(g.outcome, row.outcome)
		g.outcome = row.outcome
	}
	g.other = true
	m.groups[row.group] = g
}

func (m *model) change(from, to cdr.Outcome) {
	m.counters[fmt.Sprintf("cdr_call_outcome_changes_total{%s,%s}", from, to)]++
}

// newOutcome takes a known record's changed outcome.
func (m *model) newOutcome(row modelRow, old modelCall) {
	g, grouped := m.groups[row.group]
	switch {
	case !grouped:
		m.change(old.outcome, row.outcome)
	case old.further:
		m.connect(row, g)
	case g.outcome == old.outcome && (row.outcome.Connected() || !g.other):
		m.change(old.outcome, row.outcome)
		g.outcome = row.outcome
		m.groups[row.group] = g
	}
}

func (m *model) row(t *testing.T, row modelRow) {
	old, known := m.calls[row.id]
	if !known {
		m.first(t, row)
		return
	}
	if row.version > 0 && row.version <= old.version {
		return
	}
	old.version = row.version
	changed := old.outcome != row.outcome || row.moved != old.moved
	old.moved = row.moved
	if old.outcome != row.outcome {
		m.newOutcome(row, old)
		old.outcome = row.outcome
	}
	if row.amount != "" && row.amount != old.amount {
		m.changeMoney(t, old.amount, row.amount)
		old.amount, changed = row.amount, true
	}
	if changed {
		old.revisions++
		if old.revisions <= loggedRevisions {
			m.logs = append(m.logs, fmt.Sprintf("cdr.call.revised %s v%d %s", row.name(), old.revisions+1, row.outcome))
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
	for key, v := range got {
		name, _, _ := strings.Cut(key, "{")
		if slices.Contains(modelCounters, name) && v != fmt.Sprint(m.counters[key]) {
			r.t.Fatalf("%s = %q, model has %d", key, v, m.counters[key])
		}
	}
	if total, want := r.total("cdr_calls_total"), len(m.calls)-m.further; total != want || r.feed.State().Records != uint64(want) {
		r.t.Fatalf("%d calls counted, %d records, model has %d", total, r.feed.State().Records, want)
	}
	for key, sum := range m.charges {
		if want := fmt.Sprintf("%g", sum.Float()); sum.Sign() != 0 && got[key] != want {
			r.t.Fatalf("%s = %q, model has %s", key, got[key], want)
		}
	}
	m.checkRecent(r, got)
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

// checkRecent compares the last attempts and their gauges, which values has.
func (m *model) checkRecent(r *rig, values map[string]string) {
	r.t.Helper()
	var got []modelAttempt
	for _, recent := range r.ledger.Store().Recent() {
		for _, a := range recent.Attempts {
			got = append(got, modelAttempt{a.Start(), a.Outcome})
		}
	}
	if !slices.Equal(got, m.recent) {
		r.t.Fatalf("last attempts %v, model has %v", got, m.recent)
	}
	if len(m.recent) == 0 {
		return
	}
	faults, connected, newest := 0, 0, time.Time{}
	for _, a := range m.recent {
		faults += int(flag(a.outcome == cdr.Failed))
		connected += int(flag(a.outcome.Connected()))
		if a.start.After(newest) {
			newest = a.start
		}
	}
	wantValues(r.t, values, map[string]string{
		"cdr_recent_attempts{inbound,sbc1.example.com}":                 fmt.Sprint(len(m.recent)),
		"cdr_recent_faults{inbound,sbc1.example.com}":                   fmt.Sprint(faults),
		"cdr_recent_connected{inbound,sbc1.example.com}":                fmt.Sprint(connected),
		"cdr_recent_newest_timestamp_seconds{inbound,sbc1.example.com}": strconv.FormatFloat(float64(newest.Unix()), 'g', -1, 64),
	})
}

// modelCounters are the counters that the model knows.
var modelCounters = []string{
	"cdr_calls_total", "cdr_call_failures_total", "cdr_call_outcome_changes_total",
	"cdr_sessions_total", "cdr_media_streams_total", "cdr_media_bypass_calls_total",
}
