package simulator

import (
	"maps"
	"slices"
	"testing"
)

func TestNoFaults(t *testing.T) {
	var none *Faults
	if f := none.Next(Request{Endpoint: "a"}, nil); f != NoFault {
		t.Errorf("nil made %q", f)
	}
	if f := NewFaults(FaultSettings{}).Next(Request{Endpoint: "a"}, nil); f != NoFault {
		t.Errorf("no rules made %q", f)
	}
}

func TestOnceComesInOrderAndWhereItFits(t *testing.T) {
	f := NewFaults(FaultSettings{})
	f.Once("a", Throttle, NoFault, Slow)
	f.Once("", Reset)
	var got []Fault
	fits := func(fault Fault) bool { return fault != Reset }
	for i := range 4 {
		got = append(got, f.Next(Request{Endpoint: "a", Number: i}, fits))
	}
	if want := []Fault{Throttle, NoFault, Slow, NoFault}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if f.Pending() != 1 {
		t.Errorf("%d faults left, want the reset", f.Pending())
	}
	if fault := f.Next(Request{Endpoint: "b"}, nil); fault != Reset || f.Pending() != 0 {
		t.Errorf("%q at another endpoint, %d left", fault, f.Pending())
	}
	if want := map[Fault]int{Throttle: 1, Slow: 1}; !maps.Equal(f.Counts("a"), want) {
		t.Errorf("counted %v, want %v", f.Counts("a"), want)
	}
	if want := map[Fault]int{Throttle: 1, Slow: 1, Reset: 1}; !maps.Equal(f.Counts(""), want) {
		t.Errorf("counted %v in all, want %v", f.Counts(""), want)
	}
}

func TestChanceFollowsFromTheSeed(t *testing.T) {
	run := func(seed uint64) (got []Fault, longest int) {
		f := NewFaults(FaultSettings{Seed: seed, MaxRun: 3})
		f.Rate("a", 0.4, Transient()...)
		row := 0
		for i := range 2000 {
			fault := f.Next(Request{Endpoint: "a", Number: i}, nil)
			got = append(got, fault)
			if row++; fault == NoFault {
				row = 0
			}
			longest = max(longest, row)
			if other := f.Next(Request{Endpoint: "b", Number: i}, nil); other != NoFault {
				t.Fatalf("%q at an endpoint that has none", other)
			}
		}
		return got, longest
	}
	one, longest := run(1)
	two, _ := run(1)
	three, _ := run(2)
	if !slices.Equal(one, two) || slices.Equal(one, three) {
		t.Error("the faults don't follow from the seed")
	}
	hit := 2000
	for _, fault := range one {
		if fault == NoFault {
			hit--
		}
	}
	if longest != 3 || hit < 600 || hit > 900 {
		t.Errorf("%d of 2000 requests failed, up to %d in a row", hit, longest)
	}
}

func TestHookAndStop(t *testing.T) {
	f := NewFaults(FaultSettings{})
	f.Hook(func(r Request) Fault {
		if r.Number == 1 && r.Continued {
			return Unavailable
		}
		return NoFault
	})
	if fault := f.Next(Request{Endpoint: "a", Number: 1, Continued: true}, nil); fault != Unavailable {
		t.Errorf("%q, want the hook's", fault)
	}
	if fault := f.Next(Request{Endpoint: "a", Number: 1}, nil); fault != NoFault {
		t.Errorf("%q, want none", fault)
	}
	f.Once("", Reset)
	f.Rate("", 1, Slow)
	f.Stop()
	if fault := f.Next(Request{Endpoint: "a", Number: 1, Continued: true}, nil); fault != NoFault {
		t.Errorf("%q after Stop", fault)
	}
}
