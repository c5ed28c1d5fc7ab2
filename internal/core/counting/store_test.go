package counting_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// store is a ledger as a few maps: it remembers what changes say, and adds up what their facts
// count.
type store struct {
	t        *testing.T
	settings counting.Settings
	hasher   counting.Hasher
	decision *counting.Decision

	state  counting.State
	ids    map[counting.Place][]byte
	tasks  map[counting.TaskKey]work.Item
	bad    map[counting.Hash]bool
	trunks map[string]int64

	counts   map[string]int64 // by metric and labels; of a histogram how often it observed
	observed map[string]int64 // by metric and labels: the sum of what a histogram observed
	money    map[string]cdr.Money
	edges    map[int64]int64 // by trunk
	// connected is the time in which calls were connected, as their edges say; recent are the calls
	// that activity counts, and failed those of them.
	connected      time.Duration
	recent, failed int64
	logs           []string // name and call id, in order
	lines          []string // name, record id and session, version, outcome or result, and what changed, in order
	spans          []string // call ids, in order
	attempts       []string // direction, trunk and outcome, in order
	changes        []string // the operator's labels of changed outcomes, in order

	// lastRows are the hashes of the last rows, as the ledger keeps them.
	lastRows map[counting.Hash]uint64
}

func newStore(t *testing.T, settings counting.Settings, state counting.State) *store {
	hasher, err := counting.NewHasher(strings.Repeat("ab", 32))
	require.NoError(t, err)
	return &store{
		t: t, settings: settings, hasher: hasher, decision: counting.NewDecision(), state: state,
		ids: map[counting.Place][]byte{}, tasks: map[counting.TaskKey]work.Item{}, bad: map[counting.Hash]bool{},
		trunks:   map[string]int64{},
		lastRows: map[counting.Hash]uint64{},
		counts:   map[string]int64{}, observed: map[string]int64{}, money: map[string]cdr.Money{},
		edges: map[int64]int64{},
	}
}

// known reads what the keys ask for.
func (s *store) known(keys *counting.Keys) *counting.Known {
	k := &counting.Known{
		State: s.state, Tasks: map[counting.TaskKey]work.Item{}, BadRows: map[counting.Hash]bool{}, Trunks: s.trunks,
		TrunkLimit: 100,
	}
	for more := keys; more != nil; more = s.decision.More(k) {
		for _, key := range more.IDs {
			k.IDs = append(k.IDs, s.find(key))
		}
		for _, key := range more.Tasks {
			if task, waits := s.tasks[key]; waits {
				k.Tasks[key] = task
			}
		}
	}
	var due time.Time
	if read := s.decision.CompleteRead(); read != nil {
		due = read.Began
	}
	for key, task := range s.tasks {
		if key.Kind != work.Call {
			continue
		}
		if k.Waiting++; task.Due.After(due) {
			continue
		}
		call, err := counting.CallOf(key.Key)
		require.NoError(s.t, err)
		k.Tasks[key], k.DueCalls = task, append(k.DueCalls, call)
	}
	slices.Sort(k.DueCalls)
	for _, hash := range keys.BadRows {
		k.BadRows[hash] = s.bad[hash]
	}
	return k
}

func (s *store) find(key counting.Key) counting.Stored {
	buckets := key.Buckets
	if buckets == nil {
		for at := range s.ids {
			if at.Hash == key.Hash && at.Bucket < 0 && !counting.IsForgotten(at.Bucket, s.state.Floor) {
				buckets = append(buckets, at.Bucket)
			}
		}
		slices.Sort(buckets)
	}
	for _, bucket := range buckets {
		at := counting.Place{Bucket: bucket, Hash: key.Hash}
		data := s.ids[at]
		if data == nil {
			continue
		}
		stored := counting.Stored{Place: at, Data: data}
		if of, isAlias := stored.Alias(); isAlias {
			stored = counting.Stored{Place: of, Data: s.ids[of]}
		}
		if stored.Data != nil {
			return stored
		}
	}
	return counting.Stored{}
}

// decide decides a page without keeping what it changes, as a commit that fails does.
func (s *store) decide(page *counting.Page) *counting.Change {
	s.t.Helper()
	records := make([]cdr.Record, len(page.Records))
	for i, r := range page.Records {
		records[i] = *r
	}
	change, err := s.decision.Decide(s.known(s.decision.Keys(page, &s.settings, &s.hasher)))
	require.NoError(s.t, err)
	for i, r := range page.Records {
		if !reflect.DeepEqual(records[i], *r) {
			s.t.Fatalf("record %d was changed: %+v, was %+v", i, *r, records[i])
		}
	}
	return change
}

// commit keeps what a page changes.
func (s *store) commit(page *counting.Page) counting.Result {
	s.t.Helper()
	c := s.decide(page)
	s.state = c.State
	for _, stored := range c.Keep {
		s.ids[stored.Place] = slices.Clone(stored.Data)
	}
	for _, row := range c.BadRows {
		s.bad[row.Hash] = true
	}
	for _, task := range c.DoneTasks {
		delete(s.tasks, counting.TaskKey{Kind: task.Kind, Key: task.Key})
	}
	for _, task := range c.PutTasks {
		s.tasks[counting.TaskKey{Kind: task.Kind, Key: task.Key}] = task
	}
	for _, name := range c.NewTrunks {
		s.trunks[name] = int64(len(s.trunks) + 1)
	}
	for _, e := range c.Edges {
		s.edges[e.Trunk] += e.Change
		s.connected -= time.Duration(e.Change*e.At) * time.Microsecond
	}
	for _, a := range c.Activity {
		s.recent += a.Calls
		s.failed += a.Failures
	}
	for i := range c.Facts {
		f := &c.Facts[i]
		for _, d := range metrics.Count(nil, f) {
			s.add(&d)
		}
		if f.Kind == facts.OutcomeChange {
			s.changes = append(s.changes, string(f.ChargeLabels().Labels))
		}
		if r := f.Record; f.Kind == facts.Attempt && !f.Ahead && r.Outcome != cdr.Unknown {
			s.attempts = append(s.attempts, strings.TrimSpace(r.Direction.String()+" "+r.Trunk)+" "+r.Outcome.String())
		}
	}
	for _, l := range c.Logs {
		r := l.Call
		if r == nil {
			r = page.Records[l.Record]
		}
		s.logs = append(s.logs, l.Event.Name+" "+r.CallID)
		s.lines = append(s.lines, lineOf(r, &l))
	}
	for last := range s.decision.LastRows() {
		s.lastRows[last.Record] = last.RowHash
	}
	for _, span := range c.Spans {
		if span.Call != nil {
			s.spans = append(s.spans, span.Call.CallID)
			continue
		}
		s.spans = append(s.spans, page.Records[span.Record].CallID)
	}
	return c.Result
}

func lineOf(r *cdr.Record, l *counting.Log) string {
	id, is := l.Event.RecordID, r.Outcome.String()
	if l.Event.Name == counting.EventSession {
		id, is = id+"/"+r.Sessions[l.Part].ID, r.Sessions[l.Part].Result.String()
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s v%d %s %s", l.Event.Name, id, l.Event.Version, is,
		strings.Join(l.Event.Changed, ",")))
}

func (s *store) add(d *metrics.Delta) {
	key := d.Def.Name + "{" + strings.Join(d.LabelValues(), ",") + "}"
	switch d.Def.Kind {
	case metrics.Money:
		was := s.money[key]
		s.money[key] = was.Add(&d.Money)
	case metrics.Histogram:
		s.counts[key]++
		s.observed[key] += d.N
	default:
		s.counts[key] += d.N
	}
}

// count sums a metric over its series.
func (s *store) count(name string) (sum int64) {
	for key, n := range s.counts {
		if strings.HasPrefix(key, name+"{") {
			sum += n
		}
	}
	return sum
}

// sum sums a metric of money over those series whose labels have a text.
func (s *store) sum(name, having string) (sum cdr.Money) {
	for key, m := range s.money {
		if strings.HasPrefix(key, name+"{") && strings.Contains(key, having) {
			sum = sum.Add(&m)
		}
	}
	return sum
}

// outcomes are the calls by the outcome that they have after all changes.
func (s *store) outcomes() map[string]int64 {
	all := map[string]int64{}
	for key, n := range s.counts {
		name, labels, _ := strings.Cut(strings.TrimSuffix(key, "}"), "{")
		values := strings.Split(labels, ",")
		switch name {
		case "cdr_calls_total":
			all[values[2]] += n
		case "cdr_call_outcome_changes_total":
			all[values[0]] -= n
			all[values[1]] += n
		}
	}
	maps.DeleteFunc(all, func(_ string, n int64) bool { return n == 0 })
	return all
}
