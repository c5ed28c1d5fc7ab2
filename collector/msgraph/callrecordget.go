package msgraph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

const (
	// maxInnerPages bounds what one record may have: 60 sessions or 130 participants a page.
	maxInnerPages = 1_000
)

var (
	// errNoValue is an answer that lacks what it is for.
	errNoValue = errors.New("the answer has no list of values")
	// errOtherRecord is an answer about something else than what was asked for.
	errOtherRecord = errors.New("the answer is about another call record")
)

// badShape is an answer that is JSON and not what it should be.
type badShape struct {
	raw     []byte
	problem string
}

// Error implements error.
func (e *badShape) Error() string { return "the answer isn't what it should be: " + e.problem }

// get reads a record with its sessions, segments and participants, all pages of them.
func (c *callRecords) get(ctx context.Context, id string) (*callRecord, error) {
	if !guid.MatchString(id) {
		return nil, &badShape{raw: []byte(id), problem: "the id is no GUID"}
	}
	base := "v1.0/communications/callRecords/" + strings.ToLower(id)
	pace := c.paces.of(strings.ToLower(id))
	var record callRecord
	if err := c.read(ctx, pace.first, base+"?$expand=sessions($expand=segments)", &record); err != nil {
		return nil, err
	}
	switch {
	case !strings.EqualFold(record.ID, id):
		return nil, errOtherRecord
	case missing(record.Start):
		return nil, &badShape{raw: []byte(id), problem: "there is no startDateTime"}
	}
	record.ID = strings.ToLower(record.ID)
	var err error
	if record.Sessions, err = more(ctx, c, pace, record.Sessions, record.MoreSessions); err != nil {
		return nil, err
	}
	record.Sessions = distinct(record.Sessions, (*session).name)
	for i := range record.Sessions {
		s := &record.Sessions[i]
		if s.Segments, err = more(ctx, c, pace, s.Segments, s.MoreSegments); err != nil {
			return nil, err
		}
		s.Segments = distinct(s.Segments, (*segment).name)
	}
	record.Participants, err = c.participants(ctx, pace, base)
	return &record, err
}

// distinct leaves one of each name, the last, which is the youngest: pages overlap when a
// record grows while it is read, and what is on two of them has its streams and ratings
// only once. What has no name is left as it is.
func distinct[T any](list []T, name func(*T) string) []T {
	at := make(map[string]int, len(list))
	kept := list[:0]
	for i := range list {
		known := name(&list[i])
		if before, again := at[known]; again && known != "" {
			kept[before] = list[i]
			continue
		}
		at[known] = len(kept)
		kept = append(kept, list[i])
	}
	return kept
}

// participants reads who took part. No call fails to count for want of that.
func (c *callRecords) participants(ctx context.Context, pace *pace, base string) ([]participant, error) {
	var page innerPage[participant]
	err := c.read(ctx, pace.first, base+"/participants_v2", &page)
	if kind := httpclient.KindOf(err); kind == httpclient.KindNotFound || kind == httpclient.KindBadRequest {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := more(ctx, c, pace, page.Value, page.Next)
	return distinct(all, func(p *participant) string { return strings.ToLower(p.ID) }), err
}

// innerPage is a page of what belongs to a record.
type innerPage[T any] struct {
	Value []T    `json:"value"`
	Next  string `json:"@odata.nextLink"`
}

// more adds what the next links lead to. They are followed as they come, on the same
// host only.
func more[T any](ctx context.Context, c *callRecords, pace *pace, list []T, link string) ([]T, error) {
	followed := make(map[string]bool)
	for link != "" {
		switch {
		case followed[link]:
			return nil, httpclient.ErrLinkRepeated
		case len(followed) == maxInnerPages:
			return nil, httpclient.ErrTooManyPages
		}
		followed[link] = true
		var page innerPage[T]
		if err := c.read(ctx, pace.following, link, &page); err != nil {
			return nil, innerError(err)
		}
		if page.Value == nil {
			return nil, errNoValue
		}
		list, link = append(list, page.Value...), page.Next
	}
	return list, nil
}

// innerError is an error of an inner page: its link is no longer good, which says nothing
// of the record.
func innerError(err error) error {
	if httpclient.KindOf(err).RefusesLink() {
		return linkError{err}
	}
	return err
}

// linkError hides what kind of refusal a link met.
type linkError struct{ refusal error }

// Error implements error.
func (e linkError) Error() string {
	return httpclient.ErrLinkExpired.Error() + ": " + e.refusal.Error()
}

// Is says that it is an expired link.
func (e linkError) Is(target error) bool { return target == httpclient.ErrLinkExpired }

// read gets a link in its turn and reads its answer.
func (c *callRecords) read(ctx context.Context, limiter *httpclient.Limiter, link string, into any) error {
	release, err := limiter.Acquire(ctx, nil)
	if err != nil {
		return fmt.Errorf("GET callRecord: %w", err)
	}
	defer release()
	return fetchJSON(ctx, c.client, httpclient.Request{
		Feed: feedCallRecords, URL: link, Label: "callRecord", ExpectJSON: true,
		// Else what is younger than this API's version comes as unknownFutureValue.
		Header: http.Header{"Prefer": {"include-unknown-enum-members"}},
	}, into)
}

// fetchJSON decodes an answer. Text that is no JSON is asked for again; JSON of another shape is a badShape.
func fetchJSON(ctx context.Context, client *httpclient.Client, request httpclient.Request, into any) error {
	err := client.Fetch(ctx, request, func(response *httpclient.Response) error {
		body := response.Body.Bytes()
		if !json.Valid(body) {
			return httpclient.Retryable(errors.New("the answer is no JSON"))
		}
		if err := json.Unmarshal(body, into); err != nil {
			return &badShape{raw: body, problem: shapeProblem(err)}
		}
		return nil
	})
	return withCode(err)
}

// shapeProblem says which member isn't what it should be, without what it holds.
func shapeProblem(err error) string {
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return "a member can't be read"
	}
	is := wire.TypeOf('0') // the decoder says a number, and which
	switch wrong.Value {
	case "string":
		is = wire.TypeOf('"')
	case "object":
		is = wire.TypeOf('{')
	case "array":
		is = wire.TypeOf('[')
	case "bool":
		is = wire.TypeOf('t')
	}
	return fmt.Sprintf("%s is %s, must be %s", orElse(wrong.Field, "it"), is, typeName(wrong.Type))
}

// typeName is what JSON calls a type of ours.
func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int64, reflect.Float64:
		return wire.TypeOf('0')
	case reflect.Bool:
		return wire.TypeOf('t')
	case reflect.Slice:
		return wire.TypeOf('[')
	case reflect.Struct, reflect.Map:
		return wire.TypeOf('{')
	}
	return wire.TypeOf('"')
}
