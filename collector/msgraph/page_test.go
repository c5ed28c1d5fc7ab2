package msgraph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// TestLabelsHold: a label isn't a view of the page, because the next page reuses its memory.
func TestLabelsHold(t *testing.T) {
	const (
		pstn = `{"value":[{"id":"1","startDateTime":"2026-11-19T10:00:00Z","callType":"oc_user_in","operator":"Microsoft","currency":"USD",` +
			`"charge":1,"otherPartyCountryCode":"FR"}]}`
		direct = `{"value":[{"id":"1","startDateTime":"2026-11-19T10:00:00Z","callType":"ByotIn","trunkFullyQualifiedDomainName":"sbc1.example.com",` +
			`"mediaPathLocation":"USWE","signalingLocation":"EUNO"}]}`
	)
	for page, log := range map[string]*callLog{pstn: pstnLog(), direct: directRoutingLog()} {
		var labels []string
		body, mapper := []byte(page), newMapper(log, collector.NewRowFilter(nil))
		rows := wire.Piece{Page: 1, First: 1, Rows: [][]byte{body[len(`{"value":[`) : len(body)-len(`]}`)]}}
		r := mapper.mapPage(rows).Records[0]
		labels = append(labels, r.CallType, r.Trunk, r.Country, r.MediaLocation, r.SignalLocation)
		for i := range r.Charges {
			labels = append(labels, r.Charges[i].Currency)
		}
		var want []string
		for _, label := range labels {
			want = append(want, strings.Clone(label))
		}
		clear(body)
		if !slices.Equal(labels, want) {
			t.Errorf("the labels %q became %q", want, labels)
		}
	}
}

// knownIDs knows every row of these ids; the hash of another row is the length of its id.
type knownIDs []string

func (k knownIDs) Lookup(id string, _ []byte) (record counting.Hash, rowHash uint64, unchanged bool) {
	return counting.Hash(id[len(id)-1]), uint64(len(id)), slices.Contains(k, id)
}

// TestRowsThatAreLeftOut: a row that would change nothing isn't decoded, and the others have their
// hashes (counting.md 37).
func TestRowsThatAreLeftOut(t *testing.T) {
	const start = `,"startDateTime":"2026-11-19T10:00:00Z"}`
	log := pstnLog().skipUnchanged(knownIDs{"known"}).(*callLog)
	var ids []string
	var rowHashes []uint64
	var unchanged, invalid int
	mapper := newMapper(log, collector.NewRowFilter(log.rows))
	err := decodeWith(mapper, []byte(`{"value":[{"id":"KNOWN"`+start+
		`,{"x":{"id":"known"},"\u0069d":"New","id":"known"`+start+`,{"id":5},5,`+
		`{"id":"odd","callType":"hologram"`+start+`,{"id":"00000000-0000-0000-0000-000000000000"`+start+
		`,{"id":"newer"`+start+`]}`), func(p *collector.Page) {
		for _, r := range p.Records {
			ids = append(ids, r.ID)
		}
		rowHashes, unchanged, invalid = append(rowHashes, p.RowHashes...), unchanged+p.Unchanged, invalid+len(p.Invalid)
	})
	if err != nil || unchanged != 1 || invalid != 2 || !slices.Equal(ids, []string{"new", "odd", "", "newer"}) ||
		!slices.Equal(rowHashes, []uint64{3, 0, 0, 5}) {
		t.Errorf("records %q with the row hashes %v, %d left out, %d invalid, error %v", ids, rowHashes, unchanged,
			invalid, err)
	}
	for page, want := range []int{0, 0, 0, 1} { // another row of the record is committed by the time of the last page
		id := []string{"unknown", "a", "b", "known"}[page]
		err := decodeWith(mapper, []byte(`{"value":[{"id":"`+id+`"`+start+`]}`),
			func(p *collector.Page) { unchanged = p.Unchanged })
		if err != nil || unchanged != want {
			t.Errorf("page %d: %d left out, want %d; error %v", page+2, unchanged, want, err)
		}
	}
}

// TestNothingOfARowInErrors: no problem of a row or page holds its content.
func TestNothingOfARowInErrors(t *testing.T) {
	const secret = "+12065550199"
	for _, member := range []string{
		`"startDateTime":"` + secret + `"`, `"duration":"` + secret + `"`, `"charge":12065550199e25`,
		`"endDateTime":"` + secret + `"`,
		`"callType":{"x":"` + secret + `"}`, `"` + secret + `":"` + secret + `",}`, `"id":"` + secret,
	} {
		got, err := decodePage(t, pstnLog(), `{"value":[{"id":"1",`+member+`}]}`)
		if text := fmt.Sprint(err, got.invalid, got.unmapped); strings.Contains(text, "2065550199") {
			t.Errorf("%s: %s", member, text)
		}
	}
}
