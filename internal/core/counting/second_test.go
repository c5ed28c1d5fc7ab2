package counting_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// onto leads a record onto a second trunk.
func onto(trunk, channel string, outcome cdr.Outcome) func(*cdr.Record) {
	return func(r *cdr.Record) {
		l := r.Leg()
		l.Direction, l.Trunk, l.Channel, l.Outcome, l.Implied = cdr.Outbound, trunk, channel, outcome, true
		r.Second = &l
	}
}

// A version that changes only the second trunk is a revision, and its call gets what that changes.
func TestSecondTrunkIsRevised(t *testing.T) {
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

// A record that leads from one trunk onto another is an inbound call on the first, and at once an
// attempt on the second. Such a record occupies both, and it is one leg.
func TestSecondTrunk(t *testing.T) {
	for _, c := range []struct {
		name string
		legs []*cdr.Record
	}{
		{"of a call of several records", []*cdr.Record{leg("a", 0, 5, 65)}},
		{"of a call by itself", []*cdr.Record{leg("a", 0, 5, 65, inGroup(""))}},
		{"one channel", []*cdr.Record{leg("a", 0, 5, 35), leg("b", 35, 35, 65)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCallRig(t, nil)
			for _, one := range c.legs {
				one.NoDuration, one.Duration = false, one.End.Sub(one.Answer)
				onto("second", "2", cdr.Answered)(one)
			}
			r.records(c.legs...)
			r.wait(settle)
			slices.Sort(r.attempts)
			want := []string{"inbound sbc1.example.com answered", "outbound second answered"}
			if !slices.Equal(r.attempts, want) {
				t.Errorf("attempts %q", r.attempts)
			}
			wantValues(t, r.values(), map[string]string{
				answered: "1",
				"cdr_trunk_connected_seconds_total{sbc1.example.com,inbound}": "60",
				"cdr_trunk_connected_seconds_total{second,outbound}":          "60",
			})
			if got := r.total("cdr_call_legs_total"); got != len(c.legs) {
				t.Errorf("%d legs", got)
			}
		})
	}
}

// A record that came over a trunk that it doesn't name is an inbound call, too, and has no trunk.
func TestSecondTrunkOfUnknownFirst(t *testing.T) {
	r := newCallRig(t, nil)
	r.records(leg("a", 0, 5, 65, trunk(""), onto("second", "2", cdr.Answered)))
	r.wait(settle)
	slices.Sort(r.attempts)
	if want := []string{"inbound answered", "outbound second answered"}; !slices.Equal(r.attempts, want) {
		t.Errorf("attempts %q", r.attempts)
	}
	wantValues(t, r.values(), map[string]string{
		"cdr_calls_total{inbound,byot_in,answered,,false}":   "1",
		"cdr_trunk_connected_seconds_total{second,outbound}": "60",
	})
}
