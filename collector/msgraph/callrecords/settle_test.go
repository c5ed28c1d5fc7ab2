package callrecords

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/subscriptions"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// A record that grows while it is read may have a session, or a part of one, on two pages:
// its streams and ratings count once, as they came last.
func TestTrapSessionsOnTwoPages(t *testing.T) {
	streams := func(n int) string {
		return `"media":[{"label":"main-audio","streams":[` +
			numbered(`{"streamDirection":"callerToCallee","streamId":"%d"}`, 0, n) + `]}]`
	}
	session := func(id, segments string) string {
		return `{"id":"` + id + `","caller":{"feedback":{"rating":"good"}},"segments":[` + segments + `]}`
	}
	part := func(id string, at, n int) string {
		return fmt.Sprintf(`{"id":%q,"startDateTime":"2026-11-19T10:00:%02dZ",%s}`, id, at, streams(n))
	}
	first := callWith(session("A", part("A", 0, 1)), session("b", part("x", 0, 2)),
		`{"caller":{"feedback":{"rating":"bad"}}}`)
	first = strings.Replace(first, `"sessions"`, `"sessions@odata.nextLink":`+link("sessions?a")+`,"sessions"`, 1)
	answers := []answer{
		{Body: first},
		{Body: `{"value":[` + session("a", part("A", 0, 3)) + `,` +
			strings.Replace(session("c", part("c", 0, 1)), `"segments"`, `"segments@odata.nextLink":`+
				link("sessions/c/segments?a")+`,"segments"`, 1) +
			`,{"caller":{"feedback":{"rating":"bad"}}}]}`},
		{Body: `{"value":[` + part("C", 0, 1) + `,` + part("c", 9, 1) + `]}`},
		{Body: `{"value":[{"id":"p"},{"id":"P"},{"id":""},{"id":""}]}`},
	}
	record, err := recordsOf(t, &providertest.Script{Answers: answers}).read(t.Context(), record1)
	require.NoError(t, err)
	tree, err := recordsOf(t, &providertest.Script{Answers: answers}).LookUp(t.Context(), record1)
	require.NoError(t, err)
	r := newTestMapper().mapRecord(record, true)
	// a has 3 streams, b 2, and c one in each of its two parts.
	if len(r.Streams) != 3+2+2 || fmt.Sprint(r.Ratings) != "[good good bad good bad]" || len(r.Sessions) != 5 ||
		len(record.Participants) != 3 || len(tree.Children) != 8 {
		t.Errorf("%d streams, ratings %v, %d sessions, %d participants", len(r.Streams), r.Ratings, len(r.Sessions),
			len(record.Participants))
	}
}

// The ledger keeps times to the microsecond, Graph tells them more finely: when a call was
// to settle it settles, though our reckoning of Graph's clock is a little behind.
func TestRule17_SettlesThoughTheEndIsFine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := time.Now().Add(-30 * time.Minute).Add(999_900).UTC() // 100 ns less than a millisecond
		record := &callRecord{
			ID: record1, Version: 7, Start: end.Add(-time.Minute), End: end,
			Sessions: []session{{ID: "s"}},
		}
		records := recordsOf(t, new(providertest.Script))
		b := records.page(record, itemsOf(subscriptions.TaskNotified, 1), time.Now().UTC())
		settle := b.Enqueue[0]
		settle.Due = time.UnixMicro(settle.Due.UnixMicro()).UTC() // as it comes back
		<-time.After(time.Until(settle.Due) - time.Second)
		if b = records.page(record, []work.Item{settle}, time.Now().UTC()); !b.Records[0].Settled ||
			len(b.Enqueue) > 0 {
			t.Errorf("settled %t, work %v", b.Records[0].Settled, b.Enqueue)
		}
	})
}

// A call that settles while it is read hasn't settled as it was read: a version may have come meanwhile.
func TestRule17_SettlesWhileItIsRead(t *testing.T) {
	settles := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	body := fmt.Sprintf(`{"id":%q,"version":7,"startDateTime":"2026-11-20T10:29:00Z","endDateTime":"2026-11-20T10:30:00Z","sessions":[]}`, record1)
	g := &providertest.Script{Answers: []answer{{Body: body}, {Body: `{"value":[]}`}}}
	records := recordsOf(t, g)
	records.now = func() time.Time {
		if len(g.Asked) == 0 {
			return settles.Add(-time.Second)
		}
		return settles.Add(time.Second)
	}
	b, err := records.Fetch(t.Context(), itemsOf(subscriptions.TaskNotified, 1))
	require.NoError(t, err)
	if b.Records[0].Settled || len(b.Enqueue) != 1 || !b.Enqueue[0].Due.Equal(settles) {
		t.Errorf("settled %t, work %v", b.Records[0].Settled, b.Enqueue)
	}
}
