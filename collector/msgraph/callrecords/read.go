package callrecords

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
)

// The limits of one record. Graph puts 60 sessions or 130 participants on a page, of some kilobytes
// each.
const (
	maxInnerPages = 1_000 // pages of one collection
	maxPage       = 8 << 20
	maxSessions   = 50_000
)

// sizes limit the JSON of one record, over all pages.
type sizes struct {
	max   int
	large int // of eight records read at once, only one may be larger
}

var recordSizes = sizes{max: 64 << 20, large: 16 << 20}

// recordReader reads one record, page by page. It decodes each page once, into the type T that its
// caller wants.
type recordReader struct {
	*Records
	pace  *httpclient.Limiter
	size  int // total bytes of the pages that were read
	large bool
}

func (r *Records) newRecordReader() *recordReader {
	return &recordReader{Records: r, pace: httpclient.NewLimiter(innerPages)}
}

// done allows another large record to be read.
func (r *recordReader) done() {
	if r.large {
		r.largeOnes.Release(1)
	}
}

// grow adds the size of a page.
func (r *recordReader) grow(ctx context.Context, page int) error {
	if r.size += page; r.size > r.sizes.max {
		return fmt.Errorf("%w: it is larger than %d MiB", collector.ErrTooLarge, r.sizes.max>>20)
	}
	if r.size <= r.sizes.large || r.large {
		return nil
	}
	err := r.largeOnes.Acquire(ctx, 1)
	r.large = err == nil
	return err
}

// read reads a record with all pages of its sessions, segments and participants.
func (r *Records) read(ctx context.Context, id string) (*callRecord, error) {
	q := r.newRecordReader()
	defer q.done()
	record, base, err := first[callRecord](ctx, q, id)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(record.ID, id) {
		return nil, errOtherRecord
	}
	if record.ID = strings.ToLower(id); isMissing(record.Start) {
		return nil, &graph.TypeError{Body: []byte(record.ID), Problem: "startDateTime is missing"}
	}
	all, err := complete(ctx, q, record.Sessions, record.Next, every[session])
	if err != nil {
		return nil, err
	}
	record.setSessions(all)
	for i := range record.Sessions {
		s := &record.Sessions[i]
		s.Segments, err = complete(ctx, q, s.Segments, s.Next,
			func(part *segment) string { return keyOf(part.ID, part.Start) })
		if err != nil {
			return nil, err
		}
	}
	record.Participants, err = participants(ctx, q, base, func(p *participant) string { return p.ID })
	return record, err
}

// setSessions sets the sessions. A record lists a session once for each service that its caller visited, and may
// repeat one if it grows while it is read: the last is the newest.
func (c *callRecord) setSessions(all []session) {
	c.listings = slices.Clone(all)
	c.Sessions = unique(all, func(s *session) string { return s.ID })
}

var errOtherRecord = errors.New("the answer is for another call record")

// every is a key with which complete keeps every element.
func every[T any](*T) string { return "" }

// keyOf is the key of a segment with an id, or empty: the first one may have the same id as its session.
func keyOf(id, start string) string {
	if id == "" {
		return ""
	}
	return id + " " + start
}

// first reads the first page of a record.
func first[T any](ctx context.Context, q *recordReader, id string) (record *T, base string, err error) {
	if !graph.IsGUID(id) {
		return nil, "", &graph.TypeError{Body: []byte(id), Problem: "the id isn't a GUID"}
	}
	base = "v1.0/communications/callRecords/" + strings.ToLower(id)
	record, err = get[T](ctx, q, base+"?$expand=sessions($expand=segments)")
	return record, base, err
}

func get[T any](ctx context.Context, q *recordReader, link string) (value *T, err error) {
	size := 0
	err = q.client.Fetch(ctx, newRequest(link), func(body []byte) error {
		value, size = new(T), len(body)
		return graph.Decode(body, value)
	})
	if err == nil {
		err = q.grow(ctx, size)
	}
	return value, err
}

// participants reads the participants. A call counts without them too.
func participants[T any](ctx context.Context, q *recordReader, base string, key func(*T) string) ([]T, error) {
	page, err := get[graph.Collection[T]](ctx, q, base+"/participants_v2")
	if kind := httpclient.KindOf(err); kind == httpclient.KindNotFound || kind == httpclient.KindBadRequest {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return complete(ctx, q, page.Value, page.Next, key)
}

// complete adds the elements of all further pages of a collection. If several elements have the
// same key, it keeps the last: pages overlap when the record grows while it is read. It keeps every
// element without a key.
func complete[T any](ctx context.Context, q *recordReader, list []T, link string, key func(*T) string) ([]T, error) {
	request, size := newRequest(link), 0
	request.Pace = q.pace
	var page graph.Collection[T]
	pages := q.client.Pages(ctx, request, maxInnerPages, func(body []byte) (next string, err error) {
		page, size = graph.Collection[T]{}, len(body)
		if err = graph.Decode(body, &page); err == nil && page.Value == nil {
			err = errors.New("the answer has no member value with a list")
		}
		return page.Next, err
	})
	for _, err := range pages {
		if httpclient.KindOf(err).RefusesLink() {
			// The link has expired. The refusal isn't wrapped, because it says nothing about the
			// record.
			return nil, fmt.Errorf("%w: %s", httpclient.ErrLinkExpired, err.Error())
		}
		if err == nil {
			err = q.grow(ctx, size)
		}
		if list = append(list, page.Value...); err == nil && len(list) > maxSessions {
			err = fmt.Errorf("%w: it has more than %d sessions, segments or participants", collector.ErrTooLarge,
				maxSessions)
		}
		if err != nil {
			return nil, err
		}
	}
	return unique(list, key), nil
}

// unique keeps the last element of each key, ignoring case, in the place of the first.
func unique[T any](list []T, key func(*T) string) []T {
	index, kept := make(map[string]int, len(list)), list[:0]
	for i := range list {
		name := strings.ToLower(key(&list[i]))
		if before, known := index[name]; known && name != "" {
			kept[before] = list[i]
			continue
		}
		index[name] = len(kept)
		kept = append(kept, list[i])
	}
	return kept
}

func decodeRecord(text []byte) (*callRecord, error) {
	record := new(callRecord)
	if err := graph.Unmarshal(text, record); err != nil {
		return nil, err
	}
	if isMissing(record.Start) {
		return nil, &graph.TypeError{Body: text, Problem: "startDateTime is missing"}
	}
	record.setSessions(record.Sessions)
	return record, nil
}

// readDocument reads all of a record to show it, with the members that aren't counted, and with every listing of a
// session.
func (r *Records) readDocument(ctx context.Context, id string) ([]byte, error) {
	q := r.newRecordReader()
	defer q.done()
	all, base, err := first[document](ctx, q, id)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(textOf(all, "id"), id) {
		return nil, errOtherRecord
	}
	if err = completeMember(ctx, q, all, "sessions", every); err != nil {
		return nil, err
	}
	for _, s := range documents((*all)["sessions"]) {
		err := completeMember(ctx, q, &s, "segments",
			func(d *document) string { return keyOf(textOf(d, "id"), textOf(d, "startDateTime")) })
		if err != nil {
			return nil, err
		}
	}
	if (*all)["participants_v2"], err = participants(ctx, q, base, idOf); err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// completeMember adds the further pages of a member, if it is a list of objects.
func completeMember(
	ctx context.Context, q *recordReader, owner *document, name string, key func(*document) string,
) error {
	list, err := complete(ctx, q, documents((*owner)[name]), textOf(owner, name+"@odata.nextLink"), key)
	if list != nil {
		(*owner)[name] = anyOf(list)
	}
	return err
}

func anyOf(list []document) []any {
	elements := make([]any, len(list))
	for i := range list {
		elements[i] = list[i]
	}
	return elements
}

func idOf(d *document) string { return textOf(d, "id") }

// documents are the elements of a list, with nil for those that aren't objects.
func documents(list any) (all []document) {
	elements, _ := list.([]any)
	for _, element := range elements {
		one, _ := element.(document)
		all = append(all, one)
	}
	return all
}

// textOf is the text of a member, or empty. Graph spells some names in two ways; the first one in
// sort order counts.
func textOf(members *document, name string) string {
	for _, key := range slices.Sorted(maps.Keys(*members)) {
		if text, isText := (*members)[key].(string); isText && strings.EqualFold(key, name) {
			return text
		}
	}
	return ""
}

func newRequest(link string) httpclient.Request {
	return httpclient.Request{
		Feed: Feed, URL: link, Label: "callRecord", ExpectJSON: true, MaxBody: maxPage,
		// Without this header, members of enumerations that are newer than this API come as
		// unknownFutureValue.
		Header: http.Header{"Prefer": {"include-unknown-enum-members"}},
	}
}
