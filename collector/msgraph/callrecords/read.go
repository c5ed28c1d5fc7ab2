package callrecords

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
)

// maxInnerPages bounds the pages of one collection of a record: 60 sessions or 130 participants each.
const maxInnerPages = 1_000

var (
	errNoValue     = errors.New("the answer has no list of values")
	errOtherRecord = errors.New("the answer is about another call record")
)

// read reads a record with its sessions, segments and participants, all pages of them.
func (r *Records) read(ctx context.Context, id string) (*callRecord, error) {
	if !graph.IsGUID(id) {
		return nil, &graph.TypeError{Body: []byte(id), Problem: "the id is no GUID"}
	}
	id = strings.ToLower(id)
	base, pace := "v1.0/communications/callRecords/"+id, r.paces.forRecord(id)
	var record callRecord
	if err := r.get(ctx, pace.first, base+"?$expand=sessions($expand=segments)", &record); err != nil {
		return nil, err
	}
	switch {
	case !strings.EqualFold(record.ID, id):
		return nil, errOtherRecord
	case isMissing(record.Start):
		return nil, &graph.TypeError{Body: []byte(id), Problem: "there is no startDateTime"}
	}
	record.ID = id
	var err error
	if record.Sessions, err = readInner(ctx, r, pace, record.Sessions, record.MoreSessions, (*session).name); err != nil {
		return nil, err
	}
	for i := range record.Sessions {
		s := &record.Sessions[i]
		if s.Segments, err = readInner(ctx, r, pace, s.Segments, s.MoreSegments, (*segment).name); err != nil {
			return nil, err
		}
	}
	record.Participants, err = r.participants(ctx, pace, base)
	return &record, err
}

// participants reads who took part. A call counts also without them.
func (r *Records) participants(ctx context.Context, pace pace, base string) ([]participant, error) {
	var page graph.Collection[participant]
	err := r.get(ctx, pace.first, base+"/participants_v2", &page)
	if kind := httpclient.KindOf(err); kind == httpclient.KindNotFound || kind == httpclient.KindBadRequest {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return readInner(ctx, r, pace, page.Value, page.Next, func(p *participant) string { return strings.ToLower(p.ID) })
}

// readInner adds the elements that the next links of a record's collection lead to. Elements of one name are one, as it came last: pages overlap when
// the record grows while it is read. An empty name is never the same as another.
func readInner[T any](ctx context.Context, r *Records, pace pace, all []T, link string, name func(*T) string) ([]T, error) {
	followed := make(map[string]bool)
	for link != "" {
		switch {
		case followed[link]:
			return nil, httpclient.ErrLinkRepeated
		case len(followed) == maxInnerPages:
			return nil, httpclient.ErrTooManyPages
		}
		followed[link] = true
		var page graph.Collection[T]
		err := r.get(ctx, pace.following, link, &page)
		switch {
		case httpclient.KindOf(err).RefusesLink():
			// The link has expired. The refusal isn't wrapped: it says nothing about the record.
			return nil, fmt.Errorf("%w: %s", httpclient.ErrLinkExpired, err.Error())
		case err != nil:
			return nil, err
		case page.Value == nil:
			return nil, errNoValue
		}
		all, link = append(all, page.Value...), page.Next
	}
	index, kept := make(map[string]int, len(all)), all[:0]
	for i := range all {
		key := name(&all[i])
		if before, again := index[key]; again && key != "" {
			kept[before] = all[i]
			continue
		}
		index[key] = len(kept)
		kept = append(kept, all[i])
	}
	return kept, nil
}

// get sends a request at a record's pace and decodes the answer.
func (r *Records) get(ctx context.Context, limiter *httpclient.Limiter, link string, into any) error {
	release, err := limiter.Acquire(ctx, nil)
	if err != nil {
		return fmt.Errorf("GET callRecord: %w", err)
	}
	defer release()
	return graph.Fetch(ctx, r.client, httpclient.Request{
		Feed: Feed, URL: link, Label: "callRecord", ExpectJSON: true,
		// Without it, members of enumerations that are newer than this API come as unknownFutureValue.
		Header: http.Header{"Prefer": {"include-unknown-enum-members"}},
	}, into)
}
