package callrecords

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// FuzzCallRecord: whatever Graph answers, it is refused or mapped, with texts and times
// that can be kept, and can be shown.
func FuzzCallRecord(f *testing.F) {
	f.Add([]byte(callWith(between(userEnd, phoneEnd(`"911"`), failing("midcall", "x")))))
	f.Add([]byte(`{"id":"x","sessions":[null,{"segments":[null,{"media":[null,{"streams":[null,{"averageJitter":"P","averagePacketLossRate":"NaN"}]}]}]}]}`))
	f.Add([]byte(`{"startDateTime":"9999-12-31T23:59:59Z","endDateTime":"0001-01-01T00:00:00Z","organizer_v2":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := decodeRecord(body)
		if err != nil {
			return
		}
		for _, due := range []bool{false, true} {
			r := newTestMapper().mapRecord(c, due)
			if r.Duration < 0 || r.End.Before(r.Start) || len(r.Sessions) != len(c.Sessions) || r.Provisional == due &&
				len(c.Sessions) == 0 {
				t.Errorf("%+v", r)
			}
			for i := range r.Streams {
				s := &r.Streams[i]
				for _, share := range []cdr.Float{s.Loss, s.Concealed, s.VideoFrameLoss, s.VideoLoss} {
					if !(share.Value >= 0 && share.Value <= 1) {
						t.Errorf("a share of %v", share)
					}
				}
				if s.Jitter.Value < 0 || s.RoundTrip.Value < 0 || s.Media == "" || s.Network == "" || s.Platform == "" {
					t.Errorf("%+v", s)
				}
			}
		}
		if treeText(newTestMapper().tree(c, body), "") == "" {
			t.Error("nothing is shown")
		}
	})
}

// FuzzCallRecordList: each row of a page is named or set aside, and only GUIDs are named.
func FuzzCallRecordList(f *testing.F) {
	f.Add([]byte(`[{"id":"` + record1 + `","version":2},5,null,{"id":"x"}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var rows []json.RawMessage
		if json.Unmarshal(body, &rows) != nil {
			return
		}
		b := listedPage(wire.Piece{Page: 1, First: 1, Rows: raws(rows)})
		if len(b.Enqueue)+len(b.Invalid) != len(rows) {
			t.Errorf("of %d rows %d are named, %d set aside", len(rows), len(b.Enqueue), len(b.Invalid))
		}
		for _, w := range b.Enqueue {
			if !graph.IsGUID(w.Key) || w.Key != strings.ToLower(w.Key) {
				t.Errorf("%q is named", w.Key)
			}
		}
		for _, bad := range b.Invalid {
			if len(bad.Content) == 0 || bytes.ContainsAny([]byte(bad.Problem), "\n") {
				t.Errorf("%+v", bad)
			}
		}
	})
}

func raws(rows []json.RawMessage) (all [][]byte) {
	for _, row := range rows {
		all = append(all, row)
	}
	return all
}
