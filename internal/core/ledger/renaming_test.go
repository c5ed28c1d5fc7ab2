package ledger

import (
	"errors"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// counting.md 19: another account under the same name stops the feed; a renamed
// source keeps its state; what isn't configured isn't shown and resumes.
func TestRule19WhoItIs(t *testing.T) {
	r := newLiveRig(t)
	r.records(call("a"))
	other := r.spec
	other.Fingerprint = "msgraph other tenant"
	if _, err := r.ledger.Feed(t.Context(), other); err == nil || !strings.Contains(err.Error(), "renamed_from") {
		t.Fatalf("another account: %v", err)
	}
	if got := r.values(); len(got) != 0 {
		t.Fatalf("of another account, but shown: %v", got)
	}
	r.openFeed()
	r.ledger.Hide(r.spec.Source, r.spec.Feed)
	if got := r.values(); len(got) != 0 {
		t.Fatalf("not configured, but shown: %v", got)
	}
	renamed := r.spec
	renamed.Source, renamed.RenamedFrom = "fabrikam", "contoso"
	f, err := r.ledger.Feed(t.Context(), renamed)
	require.NoError(t, err)
	if got, err := f.Commit(t.Context(), &counting.Page{Records: []*cdr.Record{call("a")}}); err != nil ||
		got.Duplicate != 1 {
		t.Fatalf("renamed: %+v, %v", got, err)
	}
	wantValues(t, r.values(), map[string]string{answered: "1"})
	former := r.spec
	r.spec = renamed
	r.reopen()
	wantValues(t, r.values(), map[string]string{answered: "1"})
	// A replica that hasn't reloaded the configuration counts nothing again under the former name.
	// Another account may have that name.
	if err := r.ledger.Register(t.Context(), former); !errors.Is(err, ErrRenamed) ||
		!strings.Contains(err.Error(), "renamed_from: fabrikam") {
		t.Fatalf("the former name: %v", err)
	}
	if err := r.ledger.Register(t.Context(), other); err != nil {
		t.Fatalf("the former name for another account: %v", err)
	}
	if err := r.ledger.Register(t.Context(), renamed); !errors.Is(err, ErrRenamed) ||
		!strings.Contains(err.Error(), "remove renamed_from") {
		t.Fatalf("both have state: %v", err)
	}
}

// Whoever renames a feed, and however the commit of that ends: its row has one Feed from then on.
func TestRule19OneFeedOfARow(t *testing.T) {
	for name, rename := range map[string]func(r *rig, to FeedSpec){
		"the end isn't known": func(r *rig, to FeedSpec) {
			r.failOnce("committed", errors.New("the wire was cut"))
			if _, err := r.ledger.Feed(t.Context(), to); err == nil {
				t.Fatal("no error")
			}
		},
		"another process did": func(r *rig, to FeedSpec) {
			r.exec(`UPDATE feeds SET source = ?, former = ? WHERE source = ?`, to.Source, to.RenamedFrom,
				to.RenamedFrom)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newLiveRig(t)
			r.records(call("a"))
			renamed := r.spec
			renamed.Source, renamed.RenamedFrom = "fabrikam", "contoso"
			rename(r, renamed)
			f, err := r.ledger.Feed(t.Context(), renamed)
			require.NoError(t, err)
			if len(r.ledger.feeds) != 1 {
				t.Errorf("%d feeds write the same row", len(r.ledger.feeds))
			}
			if err := r.ledger.Prune(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := f.Commit(t.Context(), &counting.Page{ObservedAt: epoch}); err != nil {
				t.Error(err)
			}
			if got := r.total("cdr_calls_total"); got != 1 {
				t.Errorf("%d calls are shown", got)
			}
			r.spec = renamed
		})
	}
}
