package msgraph

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// FuzzPage: whatever Graph answers, a page is either refused or read with one record or
// one invalid row per row, and the texts are UTF-8.
func FuzzPage(f *testing.F) {
	for _, name := range []string{"pstn", "direct_routing"} {
		page, err := os.ReadFile("testdata/" + name + ".json")
		require.NoError(f, err)
		f.Add(page)
	}
	for _, page := range []string{
		``, `{}`, `[]`, `{"value":[]}`, `{"value":[5,{},null]}`, `{"@odata.NextLink":"a","value":[{"id":"1"}]}`,
		"{\"value\":[{\"id\":\"\xff\",\"startDateTime\":\"2026-11-01T00:00:00Z\"}]}", `{"value":[{"id":"1"},{"id`,
		`{"value":[{"administrativeUnitInfos":[{"id":"a"},{"id":null},{}],"startDateTime":"2026-11-01T00:00:00Z"}]}`,
	} {
		f.Add([]byte(page))
	}
	var asked askedIDs
	feeds := []*callLog{pstnLog(), directRoutingLog()}
	f.Fuzz(func(t *testing.T, page []byte) {
		for _, feed := range feeds {
			rows := 0
			asked = nil
			err := decodeWith(newMapper(feed, collector.NewRowFilter(&asked)), page, func(p *collector.Page) {
				rows += len(p.Records) + len(p.Invalid)
				for _, r := range p.Records {
					checkRecord(t, r)
					if r.ID != "" && !slices.Contains(asked, r.ID) {
						t.Errorf("record %q wasn't asked for: %q", r.ID, page)
					}
				}
			})
			if want, ok := rowsOf(page); err == nil && ok && rows != want {
				t.Errorf("%s: %d rows came of %d: %q", feed.feed, rows, want, page)
			}
		}
	})
}

// askedIDs are the ids that a RowCache was asked about; it knows none.
type askedIDs []string

func (a *askedIDs) Lookup(id string, _ []byte) (record counting.Hash, rowHash uint64, unchanged bool) {
	*a = append(*a, strings.Clone(id))
	return 0, 1, false
}

// rowsOf counts a page's rows with another decoder, and says whether it could.
func rowsOf(page []byte) (int, bool) {
	var envelope struct {
		Value []json.RawMessage `json:"value"`
	}
	if json.Unmarshal(page, &envelope) != nil {
		return 0, false
	}
	return len(envelope.Value), true
}

func checkRecord(t *testing.T, r *cdr.Record) {
	t.Helper()
	switch {
	case r.Start.IsZero():
		t.Error("a record has no start")
	case r.ID == "" && r.Synthetic == "":
		t.Error("a record has no key")
	case r.Duration < 0:
		t.Error("a duration is negative")
	}
	for _, text := range []string{
		r.ID, r.CallID, r.CallType, r.Trunk, r.ReasonPhrase, r.CallerNumber, r.CalleeNumber, r.UserID, r.UserName,
		r.UserPrincipal, r.MediaLocation, r.SignalLocation, r.Country,
	} {
		if !utf8.ValidString(text) {
			t.Errorf("%q is not UTF-8", text)
		}
	}
	for _, a := range r.Extra {
		if !utf8.ValidString(strings.Join(append(a.Strs, a.Str), "")) {
			t.Errorf("%s is not UTF-8", a.Key)
		}
	}
}
