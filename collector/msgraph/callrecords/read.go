package callrecords

import (
	"context"
	"encoding/json"
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

// document is an object of an answer.
type document = map[string]any

// read reads a record with its sessions, segments and participants, all pages of them. It returns what is used of it, and all of it.
func (r *Records) read(ctx context.Context, id string) (*callRecord, document, error) {
	if !graph.IsGUID(id) {
		return nil, nil, &graph.TypeError{Body: []byte(id), Problem: "the id is no GUID"}
	}
	id = strings.ToLower(id)
	base, all := "v1.0/communications/callRecords/"+id, document{}
	if err := r.get(ctx, base+"?$expand=sessions($expand=segments)", &all); err != nil {
		return nil, nil, err
	}
	if !strings.EqualFold(textOf(all, "id"), id) {
		return nil, nil, errOtherRecord
	}
	all["id"] = id
	pace := httpclient.NewLimiter(r.innerPages)
	if err := r.complete(ctx, pace, all, "sessions", "id"); err != nil {
		return nil, nil, err
	}
	sessions, _ := all["sessions"].([]any)
	for _, one := range sessions {
		s, _ := one.(document)
		// The first segment may share the session's id.
		if err := r.complete(ctx, pace, s, "segments", "id", "startDateTime"); err != nil {
			return nil, nil, err
		}
	}
	participants, err := r.participants(ctx, pace, base)
	if err != nil {
		return nil, nil, err
	}
	all["participants_v2"] = participants
	record, err := decodeRecord(all)
	return record, all, err
}

// decodeRecord returns what is used of a record.
func decodeRecord(all document) (*callRecord, error) {
	text, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("write the record: %w", err)
	}
	record := new(callRecord)
	if err := graph.Unmarshal(text, record); err != nil {
		return nil, err
	}
	if isMissing(record.Start) {
		return nil, &graph.TypeError{Body: text, Problem: "there is no startDateTime"}
	}
	return record, nil
}

// participants reads who took part. A call counts also without them.
func (r *Records) participants(ctx context.Context, pace *httpclient.Limiter, base string) (any, error) {
	var page document
	err := r.get(ctx, base+"/participants_v2", &page)
	if kind := httpclient.KindOf(err); kind == httpclient.KindNotFound || kind == httpclient.KindBadRequest {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all := document{"all": page["value"], "all@odata.nextLink": textOf(page, "@odata.nextLink")}
	err = r.complete(ctx, pace, all, "all", "id")
	return all["all"], err
}

// complete adds the elements of a collection that its next links lead to. Elements with the same key are one, as it came last: pages overlap when the
// record grows while it is read. An element without an id is never the same as another.
func (r *Records) complete(ctx context.Context, pace *httpclient.Limiter, owner document, member string, key ...string) error {
	list, isList := owner[member].([]any)
	if !isList && owner[member] != nil {
		return nil // of another type, which decodeRecord finds
	}
	followed := make(map[string]bool)
	for link := textOf(owner, member+"@odata.nextLink"); link != ""; {
		switch {
		case followed[link]:
			return httpclient.ErrLinkRepeated
		case len(followed) == maxInnerPages:
			return httpclient.ErrTooManyPages
		}
		followed[link] = true
		release, err := pace.Acquire(ctx, nil)
		if err != nil {
			return fmt.Errorf("GET callRecord: %w", err)
		}
		var page document
		err = r.get(ctx, link, &page)
		release()
		value, isList := page["value"].([]any)
		switch {
		case httpclient.KindOf(err).RefusesLink():
			// The link has expired. The refusal isn't wrapped: it says nothing about the record.
			return fmt.Errorf("%w: %s", httpclient.ErrLinkExpired, err.Error())
		case err != nil:
			return err
		case !isList:
			return errNoValue
		}
		list, link = append(list, value...), textOf(page, "@odata.nextLink")
	}
	if list != nil {
		owner[member] = unique(list, key)
	}
	return nil
}

// unique keeps the last of the elements that have the same key, at the place of the first.
func unique(list []any, key []string) []any {
	index, kept := make(map[string]int), list[:0]
	for _, element := range list {
		object, _ := element.(document)
		values := make([]string, len(key))
		for i, member := range key {
			values[i] = strings.ToLower(textOf(object, member))
		}
		name := strings.Join(values, " ")
		if before, again := index[name]; again && textOf(object, "id") != "" {
			kept[before] = element
			continue
		}
		index[name] = len(kept)
		kept = append(kept, element)
	}
	return kept
}

// textOf is a member that is a string; empty if there is none. Graph spells some names in two ways.
func textOf(object document, name string) string {
	for key, value := range object {
		if strings.EqualFold(key, name) {
			text, _ := value.(string)
			return text
		}
	}
	return ""
}

// get sends a request and decodes the answer.
func (r *Records) get(ctx context.Context, link string, into any) error {
	return graph.Fetch(ctx, r.client, httpclient.Request{
		Feed: Feed, URL: link, Label: "callRecord", ExpectJSON: true,
		// Without it, members of enumerations that are newer than this API come as unknownFutureValue.
		Header: http.Header{"Prefer": {"include-unknown-enum-members"}},
	}, into)
}
