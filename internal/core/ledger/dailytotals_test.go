package ledger

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// A day's totals have each record once, what its revisions changed, and the provider's newest total,
// also after a restart. What is older is in none. A total of money that names no currency is in the source's, as the
// amounts of records are that name none.
func TestDailyTotals(t *testing.T) {
	r := newLiveRig(t)
	day := epoch.Truncate(24 * time.Hour)
	yesterday := day.Add(-12 * time.Hour)
	r.records(call("a", charge(t, "usage", "EUR", "1.10")), call("b", start(yesterday), charge(t, "usage", "USD", "2")))
	r.records(call("a", charge(t, "usage", "EUR", "1.10")), call("old", start(epoch.Add(-30*24*time.Hour))))
	r.records(call("a", charge(t, "usage", "EUR", "0.90")))
	for _, theirs := range []int{3, 4} {
		r.commit(&counting.Page{Totals: []daily.ProviderTotal{{
			Day: day.AddDate(0, 0, -1), Ours: 3, Theirs: theirs,
			Charges: new(money(t, "2.00")), Currency: "USD",
		}}})
	}
	r.commit(&counting.Page{Totals: []daily.ProviderTotal{
		{Day: day, Ours: 1, Theirs: 1, Charges: new(money(t, "1.1"))}, {Day: day.AddDate(0, 0, -2)},
	}})
	r.reopen()
	all, err := r.ledger.DailyTotals(t.Context(), day.AddDate(0, 0, -7))
	require.NoError(t, err)
	got := make(map[daily.Date]string)
	for _, b := range all {
		text := fmt.Sprintf("%s: %d records, %d late, %d revised", b.Source, b.Records, b.Late, b.Revised)
		for currency, amount := range b.Charges {
			text += fmt.Sprint(", ", currency, " ", amount.String())
		}
		if b.Total != nil {
			text += fmt.Sprint(", theirs ", b.Total.Theirs, " ", b.Total.Currency)
		}
		if b.Total != nil && b.Total.Charges != nil {
			text += " " + b.Total.Charges.String()
		}
		got[b.Day] = text
	}
	if want := map[daily.Date]string{
		daily.DateOf(day):                   "contoso: 1 records, 0 late, 1 revised, EUR 0.9, theirs 1 XXX 1.1",
		daily.DateOf(yesterday):             "contoso: 1 records, 1 late, 0 revised, USD 2, theirs 4 USD 2",
		daily.DateOf(day.AddDate(0, 0, -2)): "contoso: 0 records, 0 late, 0 revised, theirs 0 ",
	}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// An audit looks records up while the ledger is open, wherever they lie, and finds all records of an
// hour. By another name it finds only the name that the feed had.
func TestAudit(t *testing.T) {
	r := newLiveRig(t)
	r.records(call("a"), call("b", start(epoch.Add(-3*time.Hour))))
	r.packIDs()
	r.records(call("c"))
	r.inspect(func(i *Inspector) {
		records := []*cdr.Record{call("a"), call("c"), call("d")}
		found, err := i.Preview(r.spec, &counting.Page{ObservedAt: epoch, Records: records})
		require.NoError(t, err)
		want := []counting.Status{counting.StatusCounted, counting.StatusCounted, counting.StatusMissing}
		for n := range want {
			if found.Records[n].Status != want[n] {
				t.Errorf("%+v", found.Records[n])
			}
		}
		var counted []counting.Hash
		hour := call("a").Start.Truncate(time.Hour)
		if err := i.Counted(r.spec, hour, hour.Add(time.Hour),
			func(one counting.Stored) { counted = append(counted, one.Hash) }); err != nil {
			t.Error(err)
		}
		if len(counted) != 2 || !slices.Contains(counted, found.Records[0].Key) ||
			!slices.Contains(counted, found.Records[1].Key) {
			t.Errorf("the hour has %v", counted)
		}
		renamed, other := r.spec, r.spec
		renamed.Source, renamed.RenamedFrom, other.Source = "fabrikam", r.spec.Source, "fabrikam"
		if s, there := i.State(renamed); !there || s.Calls != 3 {
			t.Errorf("of its former name: %+v, %t", s, there)
		}
		if _, there := i.State(other); there {
			t.Error("another source has its state")
		}
		if _, err := i.Preview(other, new(counting.Page)); err == nil {
			t.Error("a feed is audited that isn't there")
		}
	})
}

// The results of an audit are stored while the ledger is open, a row for each day. The ledger returns
// each feed's newest audit, and the audits of the days since a time.
func TestStoreAudit(t *testing.T) {
	r := newLiveRig(t)
	r.records(call("a"))
	day := epoch.Truncate(24 * time.Hour)
	inspector, err := r.storage.Inspect(t.Context())
	require.NoError(t, err)
	audited, err := inspector.Identity()
	require.NoError(t, errors.Join(err, inspector.Close()))
	store := func(at time.Time, missing ...int64) {
		t.Helper()
		var results []daily.Audit
		for i, n := range missing {
			results = append(results, daily.Audit{
				Day: daily.DateOf(day).Add(i), Whole: true, Began: at, Listed: 10,
				Missing: n, Changed: n / 2,
			})
		}
		require.NoError(t, r.storage.StoreAudit(t.Context(), audited, r.spec, results))
	}
	store(epoch, 5, 6, 7)
	store(epoch.Add(time.Minute), 1, 2)
	r.records(call("b")) // another process's write is in nobody's way
	newest := func(i int, missing int64) daily.Audit {
		return daily.Audit{
			Source: "contoso", Feed: "direct_routing", Day: daily.DateOf(day).Add(i), Whole: true,
			Began: epoch.Add(time.Minute), Listed: 10, Missing: missing, Changed: missing / 2,
		}
	}
	older := newest(2, 7)
	older.Began = epoch
	for name, tc := range map[string]struct {
		from time.Time
		want []daily.Audit
	}{
		"the newest":                 {epoch.AddDate(0, 0, 9), []daily.Audit{newest(0, 1), newest(1, 2)}},
		"and those of the last days": {day.AddDate(0, 0, 1), []daily.Audit{newest(0, 1), newest(1, 2), older}},
	} {
		if all, err := r.ledger.Audits(t.Context(), tc.from); err != nil || !slices.Equal(all, tc.want) {
			t.Errorf("%s: %+v, %v, want %+v", name, all, err, tc.want)
		}
	}
	other := r.spec
	other.Feed = "pstn"
	if err := r.storage.StoreAudit(t.Context(), audited, other, []daily.Audit{{Day: daily.DateOf(day)}}); err == nil {
		t.Error("the result of a feed is kept that isn't there")
	}
	err = r.storage.StoreAudit(t.Context(), Identity{}, r.spec, []daily.Audit{{Day: daily.DateOf(day)}})
	if !errors.Is(err, ErrReplaced) {
		t.Errorf("the result of another ledger is kept: %v", err)
	}
	nowhere := Storage{Folder: t.TempDir()}
	if err := nowhere.StoreAudit(t.Context(), audited, r.spec, nil); server == "" && err == nil {
		t.Error("a ledger was made")
	}
}
