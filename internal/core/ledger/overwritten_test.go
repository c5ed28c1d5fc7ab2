package ledger

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// lent copies a page as readers hand it over: its texts are views of memory that belongs to the reader. Overwrite is
// what the reader does with that memory once the page was committed.
func lent(p *counting.Page) (page *counting.Page, overwrite func()) {
	var memory [][]byte
	take := func(text []byte) []byte {
		text = slices.Clone(text)
		memory = append(memory, text)
		return text
	}
	var lend func(v reflect.Value)
	lend = func(v reflect.Value) {
		switch {
		case !v.CanSet():
		case v.Kind() == reflect.String && v.Len() > 0:
			v.SetString(unsafe.String(unsafe.SliceData(take([]byte(v.String()))), v.Len()))
		case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
			v.SetBytes(take(v.Bytes()))
		case v.Kind() == reflect.Slice && v.Len() > 0:
			all := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(all, v)
			v.Set(all)
			for i := range v.Len() {
				lend(v.Index(i))
			}
		case v.Kind() == reflect.Struct:
			for _, field := range v.Fields() {
				lend(field)
			}
		}
	}
	page = new(*p)
	page.Records = slices.Clone(p.Records)
	for i, r := range p.Records {
		page.Records[i] = new(*r)
		lend(reflect.ValueOf(page.Records[i]).Elem())
	}
	for _, field := range []any{&page.Invalid, &page.Ignored, &page.Enqueue, &page.Unmapped} {
		lend(reflect.ValueOf(field).Elem())
	}
	return page, func() {
		for _, text := range memory {
			copy(text, strings.Repeat("x", len(text)))
		}
	}
}

// TestAPageThatIsOverwritten: a reader uses a page's memory again after its commit. All tests of the ledger commit such
// pages; here nothing that is in memory then differs from what the file has, and the same records are known.
func TestAPageThatIsOverwritten(t *testing.T) {
	r := newLiveRig(t, func(r *rig) { // nothing is rewritten
		r.tuning.Privacy = cdr.Policy{Numbers: cdr.Keep, Users: cdr.Keep, Addresses: cdr.Keep}
	})
	failure := func(n *cdr.Record) {
		n.Outcome, n.Reason, n.Trunk, n.Duration = cdr.Failed, "no_route", "sbc.example", 0
	}
	premium := func(n *cdr.Record) {
		n.Direction, n.CalleeNumber, n.Country, n.Trunk = cdr.Outbound, "+499001234567", "DE", "sbc.example"
		n.CallerNumber, n.UserID = "+493012345678", "alice"
	}
	page := func() []*cdr.Record {
		return []*cdr.Record{
			call("a", alts("a2"), charge(t, "usage", "GBP", "0.12")), call("b", failure), call("c", premium),
			call("d", sessions("s1")),
		}
	}
	first := r.records(page()...)
	if first.New != 4 || len(first.PremiumCalls) != 1 {
		t.Fatalf("%+v", first)
	}
	if premium := fmt.Sprint(first.PremiumCalls[0]); strings.Contains(premium, "xx") {
		t.Errorf("the premium call is %s", premium)
	}
	r.clock.add(time.Hour)
	require.NoError(t, r.ledger.Show(t.Context()))
	inMemory, logs := r.values(), r.logs()
	r.reopen()
	if stored := r.values(); !maps.Equal(inMemory, stored) {
		wantValues(t, inMemory, stored)
		t.Error("memory and file differ")
	}
	for key := range inMemory {
		if strings.Contains(key, "xx") {
			t.Errorf("%s is shown", key)
		}
	}
	for _, line := range logs {
		if strings.Contains(line, "xx") {
			t.Errorf("%q is logged", line)
		}
	}
	if again := r.records(page()...); again.Duplicate != 4 {
		t.Errorf("the same records again: %+v", again)
	}
}
