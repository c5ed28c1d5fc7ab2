package main_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// eventSession is the event of a session.
const eventSession = "cdr.session"

// TestCallRecordLogs (contract 4): there is a log record for each call and each session,
// and all of a call share its trace, those of Direct Routing too.
func TestCallRecordLogs(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t, switchboardSettings{
		seed: 91, calls: 50, routed: 50, from: 20 * time.Hour, to: 10 * time.Hour, settle: time.Hour,
	})
	r := newReceiver(t, b.vault, otlpsink.Settings{})
	x := b.launch(b.polled(time.Second), settings{OTLP: r.overHTTP("")}).ready()
	x.countsCalls(b)
	b.pass(30 * time.Hour)
	x.countsCalls(b)
	want := b.totals()
	sessions := int(want.Metrics.Sum("cdr_sessions_total") / 1_000_000)
	eventually(t, "deliver a log record of each call and session", func() error {
		if calls, parts := r.calls(b, callRecords, eventCall),
			r.calls(b, callRecords, eventSession); calls != want.Records || parts != sessions {
			return fmt.Errorf("%d calls and %d sessions have come, want %d and %d", calls, parts, want.Records,
				sessions)
		}
		if r.calls(b, directRouting, eventCall) == 0 {
			return errors.New("no row of Direct Routing has come")
		}
		return nil
	})
	routed := make(map[string]string)
	for _, l := range r.FeedLogs("contoso", directRouting) {
		id, _ := l.Attributes["cdr.call.id"].(string)
		routed[id] = l.TraceID
	}
	shared := 0
	for _, l := range r.FeedLogs("contoso", callRecords) {
		id, _ := l.Attributes["cdr.call.id"].(string)
		if trace := strings.ReplaceAll(id, "-", ""); trace == "" || l.TraceID != trace {
			t.Fatalf("%s of call %s has the trace %s", l.Event, id, l.TraceID)
		}
		if l.Event == eventSession && (l.Attributes["cdr.session.id"] == nil ||
			l.Attributes["cdr.session.result"] == nil) {
			t.Fatalf("a session has the attributes %v", l.Attributes)
		}
		if routed[id] == l.TraceID {
			shared++
		}
	}
	if shared < 10 {
		t.Errorf("%d log records share their trace with a row of Direct Routing", shared)
	}
	r.agrees(x)
	x.stop()
}
