package counting_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// A version that changes only the second trunk is a revision, and its call gets what that changes.
func TestSecondTrunkIsRevised(t *testing.T) {
	onto := func(trunk, channel string, outcome cdr.Outcome) func(*cdr.Record) {
		return func(r *cdr.Record) {
			l := r.Leg()
			l.Direction, l.Trunk, l.Channel, l.Outcome, l.Implied = cdr.Outbound, trunk, channel, outcome, true
			r.Second = &l
		}
	}
	for _, c := range []struct {
		name    string
		second  func(*cdr.Record)
		revised int
	}{
		{"another trunk", onto("third", "2", cdr.Answered), 1},
		{"another channel", onto("second", "3", cdr.Answered), 1},
		{"another outcome", onto("second", "2", cdr.Failed), 1},
		{"the same", onto("second", "2", cdr.Answered), 0},
		{"none that is told", func(*cdr.Record) {}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, group := range []string{"", "k"} {
				r := newCallRig(t, nil)
				r.records(leg("a", 0, 5, 65, inGroup(group), onto("second", "2", cdr.Answered)))
				if got := r.records(leg("a", 0, 5, 65, inGroup(group), c.second)); got.Revised != c.revised {
					t.Errorf("in group %q: %+v", group, got)
				}
				if logs := r.lines; c.revised > 0 && !strings.HasSuffix(logs[len(logs)-1], " cdr.second_trunk") {
					t.Errorf("in group %q: log %q", group, logs)
				}
			}
		})
	}
	t.Run("of a call that waits", func(t *testing.T) {
		r := newCallRig(t, nil)
		r.records(leg("a", 0, 5, 65, onto("second", "2", cdr.Answered)))
		r.records(leg("a", 0, 5, 65, onto("third", "2", cdr.Answered)))
		r.wait(settle)
		wantValues(t, r.values(), map[string]string{
			"cdr_trunk_connected_seconds_total{second,outbound}": "",
			"cdr_trunk_connected_seconds_total{third,outbound}":  "60",
		})
	})
	t.Run("of a call that was counted", func(t *testing.T) {
		r := newCallRig(t, nil)
		r.records(leg("a", 0, 5, 65, onto("second", "2", cdr.Answered)))
		r.wait(settle)
		r.records(leg("a", 0, 5, 125, onto("second", "2", cdr.Answered)))
		r.records(leg("a", 0, 5, 185, onto("second", "2", cdr.Failed)))
		wantValues(t, r.values(), map[string]string{
			"cdr_trunk_connected_seconds_total{sbc1.example.com,inbound}": "180",
			"cdr_trunk_connected_seconds_total{second,outbound}":          "120",
		})
	})
}
