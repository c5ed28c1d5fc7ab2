package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// identityEncoder makes log records of nothing but their identity.
type identityEncoder struct{}

func (identityEncoder) AppendRecord(batch []byte, r *cdr.Record, e *counting.Event) []byte {
	return fmt.Appendf(batch, "%s %s %x %s\n", e.Name, e.RecordID, e.TraceID(r.CallID), e.UID(""))
}

// exemplars are those that are shown, as `metric bucket value after-epoch trace uid`.
func (r *rig) exemplars() []string {
	var all []string
	for _, f := range r.ledger.Store().Snapshot().Families {
		for _, p := range f.Points {
			for i, e := range p.Exemplars {
				if e != nil {
					all = append(all, fmt.Sprintf("%s %d %g %v %x %s", f.Def.Name, i, e.Value, e.At.Sub(epoch),
						e.TraceID, e.RecordUID))
				}
			}
		}
	}
	return all
}

// identity is the trace id and uid of a record's first log record.
func (r *rig) identity(id string) string {
	r.t.Helper()
	for _, line := range r.logs() {
		if name, rest, found := strings.Cut(line, " "+id+" "); found && name == "cdr.call" {
			return rest
		}
	}
	r.t.Fatalf("%s isn't logged", id)
	return ""
}

func wantExemplars(t *testing.T, r *rig, want ...string) {
	t.Helper()
	got := r.exemplars()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("exemplars\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// lasts gives a call another duration.
func lasts(d time.Duration) func(*cdr.Record) { return func(r *cdr.Record) { r.Duration = d } }

// Failures and durations lead to the last call that changed each series or bucket, by the
// identity of its log record.
func TestExemplars(t *testing.T) {
	r := newLiveRig(t, func(r *rig) { r.tuning.Encoder = identityEncoder{} })
	const failures, durations = "cdr_call_failures_total 0 1", "cdr_call_duration_seconds"
	r.records(call("a", outcome(cdr.Failed)), call("b", lasts(7*time.Second)), call("c", lasts(8*time.Second)))
	r.clock.add(time.Second)
	r.records(call("d", lasts(20*time.Hour), func(r *cdr.Record) { r.CallID = "c98e1515-a937-4b81-b8a8-3992afde64e0" }))
	c := durations + " 2 8 0s " + r.identity("c")
	d := durations + " 14 72000 1s " + r.identity("d")
	wantExemplars(t, r, c, d, failures+" 0s "+r.identity("a"))
	if !strings.Contains(d, " c98e1515a9374b81b8a83992afde64e0 ") {
		t.Errorf("the trace isn't the call's: %s", d)
	}

	before := r.ledger.Store().Snapshot()
	r.clock.add(time.Second)
	r.records(call("e", outcome(cdr.Failed)), call("f", outcome(cdr.Failed)),
		call("g", outcome(cdr.Failed), lasts(3*time.Second)))
	r.records(call("a", outcome(cdr.Answered)), call("f", outcome(cdr.Failed))) // no exemplar of a revision
	wantExemplars(t, r, c, d, failures+" 2s "+r.identity("g"))
	for _, f := range before.Families {
		if f.Def == metrics.CallFailures && f.Points[0].Exemplars[0].At != epoch {
			t.Error("a snapshot has changed")
		}
	}

	r.probe = failAt("INSERT INTO journal", errInjected)
	if _, err := r.try(call("h", outcome(cdr.Failed))); err == nil {
		t.Fatal("committed")
	}
	r.probe = nil
	wantExemplars(t, r, c, d, failures+" 2s "+r.identity("g"))
	r.records(call("i", lasts(8*time.Second)))
	wantExemplars(t, r, durations+" 2 8 2s "+r.identity("i"), d, failures+" 2s "+r.identity("g"))
	r.reopen()
	wantExemplars(t, r)
}

// An exemplar of a call of several legs has the identity of the call's log record, and names its
// root span. A late leg makes no exemplar.
func TestExemplarsOfCalls(t *testing.T) {
	r := newCallRig(t, func(r *rig) { r.tuning.Encoder, r.tuning.Tracer = identityEncoder{}, lineTracer{} })
	r.records(leg("a", outcome(cdr.NoAnswer)), leg("b", lasts(8*time.Second), before(9*time.Minute)),
		leg("x", inGroup("failed"), outcome(cdr.Failed)))
	wantExemplars(t, r)
	r.settled()
	want := []string{"cdr_call_duration_seconds 2 8 10m0s " + r.identity("a"), "cdr_call_failures_total 0 1 10m0s " +
		r.identity("x")}
	wantExemplars(t, r, want...)
	r.records(leg("late", lasts(20*time.Hour), before(8*time.Minute)), leg("y", inGroup("failed"), lasts(time.Hour)))
	wantExemplars(t, r, want...)
	for _, f := range r.ledger.Store().Snapshot().Families {
		for _, p := range f.Points {
			for _, e := range p.Exemplars {
				if e != nil && e.SpanID == [8]byte{} {
					t.Errorf("the exemplar of %s has no span", f.Def.Name)
				}
			}
		}
	}
}

// counting.md 20, 21: an exemplar is shown with the value that it is of.
func TestExemplarsAreShownWithTheirSeries(t *testing.T) {
	r := newRig(t, func(r *rig) { r.tuning.Encoder, r.opts.ZeroFor = identityEncoder{}, 2*time.Minute })
	r.records(call("a"))
	wantExemplars(t, r)
	r.commit(&counting.Page{Position: &counting.Position{HistoryDone: true}})
	a := "cdr_call_duration_seconds 5 60 0s " + r.identity("a")
	wantExemplars(t, r, a)
	r.records(call("b", outcome(cdr.Failed)))
	wantExemplars(t, r, a)
	r.clock.add(2 * time.Minute)
	r.show()
	wantExemplars(t, r, a, "cdr_call_failures_total 0 1 0s "+r.identity("b"))
}

// Guarantee 9: the trace of a call whose id holds what privacy removes is the one of the
// log record, and there with or without logs.
func TestExemplarsOfRedactedCalls(t *testing.T) {
	for _, encoder := range []LogEncoder{identityEncoder{}, nil} {
		r := newLiveRig(t, func(r *rig) { r.tuning.Encoder = encoder })
		r.records(call("a", outcome(cdr.Failed), func(r *cdr.Record) { r.CallID = "x@192.0.2.7" }))
		plain := (&counting.Event{Provider: "msgraph"}).TraceID("x@192.0.2.7")
		got := r.exemplars()
		if len(got) != 1 || strings.Contains(got[0], fmt.Sprintf("%x", plain)) {
			t.Errorf("exemplars %q, want the trace of a redacted call", got)
		}
		if encoder != nil && !strings.HasSuffix(got[0], r.identity("a")) {
			t.Errorf("%q isn't of the log record", got[0])
		}
	}
}
