package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// counting.md 5: the floor, and what lies below it.
func TestRule05Floor(t *testing.T) {
	r := newLiveRig(t)
	before := r.feed.State().Origin.Add(-time.Second)
	if got := r.records(call("old", start(before))); got.TooOld != 1 || got.New != 0 {
		t.Fatalf("before the origin: %+v", got)
	}
	r.records(call("a", start(epoch.Add(-20*time.Hour))), call("b"))
	keep := r.spec.Lookback*5/4 + 48*time.Hour
	r.clock.add(200 * time.Hour)
	r.readTo(r.clock.at.Add(-time.Minute))
	r.prune()
	state := r.feed.State()
	if limit := state.Watermark.Add(-keep); state.Floor.After(limit) || limit.Sub(state.Floor) > time.Hour {
		t.Fatalf("floor %v, want within an hour below %v", state.Floor, limit)
	}
	if got := r.records(call("a", start(epoch.Add(-20*time.Hour)))); got.TooOld != 1 {
		t.Fatalf("pruned and read again: %+v", got)
	}
	if ids := r.entries(anyBucket); ids != 0 {
		t.Fatalf("%d ids left", ids)
	}
	// Raising history or lookback later lowers neither.
	r.spec.History, r.spec.Lookback = 1000*time.Hour, 1000*time.Hour
	r.reopen()
	if got := r.feed.State(); !got.Floor.Equal(state.Floor) || !got.Origin.Equal(state.Origin) {
		t.Fatalf("origin %v floor %v moved", got.Origin, got.Floor)
	}
	wantValues(t, r.values(), map[string]string{
		answered: "1",
		"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,true}": "1",
	})
}

// counting.md 1: a second writer is noticed.
func TestRule01CompareAndSet(t *testing.T) {
	r := newLiveRig(t)
	r.records(call("a"))
	r.exec(`UPDATE feeds SET seq = seq + 1, newest = 7000000 WHERE id = ?`, r.feed.id)
	if _, err := r.try(call("b")); !errors.Is(err, ErrFenced) {
		t.Fatalf("err = %v, want ErrFenced", err)
	}
	if got := r.feed.State().NewestCall; got.Unix() != 7 {
		t.Fatalf("state wasn't read again: newest call %v", got)
	}
	if got := r.records(call("b")); got.New != 1 {
		t.Fatalf("going on: %+v", got)
	}
	wantValues(t, r.values(), map[string]string{answered: "2"})
}

// panicking breaks while the transaction is open.
type panicking struct{}

func (panicking) AppendRecord([]byte, *cdr.Record, *counting.Event) []byte { panic("encoder") }

// counting.md 1: a panic within a commit leaves no trace either.
func TestRule01Panic(t *testing.T) {
	r := newLiveRig(t)
	r.records(call("a"))
	tuning := r.tuning
	tuning.Encoder = panicking{}
	r.ledger.Tune(tuning, r.opts)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		r.records(call("b"))
	}()
	r.ledger.Tune(r.tuning, r.opts)
	r.records(call("b"))
	wantValues(t, r.values(), map[string]string{answered: "2"})
	r.reopen()
	wantValues(t, r.values(), map[string]string{answered: "2"})
}

// The provider's clock decides what is late; the local clock decides zero_for and start times.
func TestClocksAreKeptApart(t *testing.T) {
	r := newLiveRig(t, func(r *rig) { r.opts.ZeroFor = time.Minute })
	r.commit(&counting.Page{Records: []*cdr.Record{call("a")}, ObservedAt: epoch.Add(3 * time.Hour)})
	r.clock.add(time.Minute)
	r.show()
	wantValues(t, r.values(), map[string]string{"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,true}": "1"})
	if got := r.starts()["cdr_calls_total"]; !got.Equal(epoch) {
		t.Fatalf("start %v, want %v", got, epoch)
	}
}

// A feed that can't be pruned keeps no other one from it.
func TestPruneGoesOnAfterAFailure(t *testing.T) {
	r := newRig(t)
	var others []*Feed
	for i := range 10 {
		spec := r.spec
		spec.Feed = fmt.Sprint("feed", i)
		own(t, r.ledger, spec)
		f, err := r.ledger.Feed(t.Context(), spec)
		require.NoError(t, err)
		others = append(others, f)
	}
	r.live()
	at := epoch.Add(-time.Hour)
	r.records(call("a", start(at)))
	r.packIDs()
	r.records(call("b", start(at)))
	r.exec(inWords(`UPDATE blocks SET keys = x'00'`))
	r.feed.ids.Release() // as when the cache had no room for it
	r.clock.add(300 * time.Hour)
	for _, f := range others {
		if _, err := f.Commit(t.Context(), &counting.Page{
			ObservedAt: r.clock.at,
			Position:   &counting.Position{HistoryDone: true, Watermark: r.clock.at},
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.ledger.Prune(t.Context()); err == nil || !strings.Contains(err.Error(), r.spec.Source+"/"+r.spec.Feed) {
		t.Fatalf("the error is %v", err)
	}
	for _, f := range others {
		if s := f.State(); !s.Floor.After(s.Origin) {
			t.Fatalf("%s isn't pruned", f.spec.Feed)
		}
	}
}
