package wavix

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestDayHandsAllOn lets rows come in between reads and during them, in every order that a
// list may have, and looks whether each complete read handed on all that was listed when it
// began.
func TestDayHandsAllOn(t *testing.T) {
	for order := range reshuffled {
		for _, clamp := range []int{10, 25, 100, 1000} {
			t.Run(fmt.Sprintf("order %d, %d a page", order, clamp), func(t *testing.T) {
				for seed := range uint64(scripts) {
					script(t, order, clamp, seed)
				}
			})
		}
	}
}

// scripts is how many of them there are for each order and size of page.
const scripts = 40

func script(t *testing.T, order listOrder, clamp int, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 7))
	f := newFakeDay(order, clamp)
	f.random = rand.New(rand.NewPCG(seed, 8))
	f.blind = random.IntN(4) == 0
	f.silent = random.IntN(6) == 0
	clock := int64(100)
	late := func() { f.publish(random.Int64N(clock)) }
	fresh := func() { clock += random.Int64N(3); f.publish(clock) }
	for range random.IntN(40 * clamp) {
		fresh()
	}
	d := newDayReader(f, func() time.Time { return f.now })
	rate := random.IntN(3)
	if f.silent {
		rate = 0 // where rows come first, and come in between page and total, places are inexact
	}
	f.before = func(int) {
		for range random.IntN(rate + 1) {
			fresh()
		}
		if random.IntN(40) == 0 {
			late()
		}
		f.fail[f.requests] = random.IntN(60) == 0
	}
	for range 12 {
		was := slices.Clone(f.rows)
		from := fakeQuery.Day.Add(time.Duration(random.Int64N(clock)) * time.Second)
		if random.IntN(2) == 0 {
			from = fakeQuery.Day
		}
		to := fakeQuery.Day.Add(time.Duration(clock)*time.Second + time.Hour)
		if random.IntN(4) == 0 {
			to = from.Add(time.Minute)
		}
		result, err := d.read(context.Background(), fakeQuery, from, to, random.IntN(5) == 0)
		switch {
		case errors.Is(err, errBroken):
		case err != nil && order >= mixed:
		case err != nil:
			t.Fatalf("seed %d: %v", seed, err)
		default:
			was = slices.DeleteFunc(was, func(r fakeRow) bool { return r.start < from.Unix() || r.start > to.Unix() })
			if n := f.missing(was); n > 0 || !result.Complete {
				t.Fatalf("seed %d: %d of %d rows of the window were not handed on; %+v", seed, n, len(was), result)
			}
		}
		for range random.IntN(2 * clamp) {
			fresh()
		}
		for range random.IntN(4) {
			late()
		}
		f.now = f.now.Add(time.Minute)
	}
}
