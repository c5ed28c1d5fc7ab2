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

// object is an object of an answer, whose members stay as they came: a large meeting has tens of thousands of sessions.
type object = map[string]json.RawMessage

// read reads a record with its sessions, segments and participants, all pages of them. It returns what is used of it, and all of it.
func (r *Records) read(ctx context.Context, id string) (*callRecord, []byte, error) {
	if !graph.IsGUID(id) {
		return nil, nil, &graph.TypeError{Body: []byte(id), Problem: "the id is no GUID"}
	}
	id = strings.ToLower(id)
	base, all := "v1.0/communications/callRecords/"+id, object{}
	if err := graph.Fetch(ctx, r.client, newRequest(base+"?$expand=sessions($expand=segments)"), &all); err != nil {
		return nil, nil, err
	}
	if !strings.EqualFold(textOf(all, "id"), id) {
		return nil, nil, errors.New("the answer is about another call record")
	}
	all["id"] = json.RawMessage(`"` + id + `"`)
	pace := httpclient.NewLimiter(r.innerPages)
	if err := r.complete(ctx, pace, all, "sessions", textOf(all, "sessions@odata.nextLink"), "id"); err != nil {
		return nil, nil, err
	}
	if err := r.completeSessions(ctx, pace, all); err != nil {
		return nil, nil, err
	}
	participants, err := r.participants(ctx, pace, base)
	if err != nil {
		return nil, nil, err
	}
	all["participants_v2"] = participants
	text := marshal(all)
	record, err := decodeRecord(text)
	return record, text, err
}

func decodeRecord(text []byte) (*callRecord, error) {
	record := new(callRecord)
	if err := graph.Unmarshal(text, record); err != nil {
		return nil, err
	}
	if isMissing(record.Start) {
		return nil, &graph.TypeError{Body: text, Problem: "there is no startDateTime"}
	}
	return record, nil
}

func (r *Records) completeSessions(ctx context.Context, pace *httpclient.Limiter, all object) error {
	sessions := listOf(all, "sessions")
	for i, one := range sessions {
		var s object
		if json.Unmarshal(one, &s) != nil {
			continue // no object, which decodeRecord finds
		}
		// The first segment may share the session's id.
		if err := r.complete(ctx, pace, s, "segments", textOf(s, "segments@odata.nextLink"), "id", "startDateTime"); err != nil {
			return err
		}
		sessions[i] = marshal(s)
	}
	if sessions != nil {
		all["sessions"] = marshal(sessions)
	}
	return nil
}

// participants reads who took part. A call counts also without them.
func (r *Records) participants(ctx context.Context, pace *httpclient.Limiter, base string) (json.RawMessage, error) {
	var page object
	err := graph.Fetch(ctx, r.client, newRequest(base+"/participants_v2"), &page)
	if kind := httpclient.KindOf(err); kind == httpclient.KindNotFound || kind == httpclient.KindBadRequest {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = r.complete(ctx, pace, page, "value", textOf(page, "@odata.nextLink"), "id")
	return page["value"], err
}

// complete adds the elements of a collection that a link leads to, and the next ones. Elements with the same key are one, as it came last: pages overlap when the
// record grows while it is read. An element without an id is never the same as another.
func (r *Records) complete(ctx context.Context, pace *httpclient.Limiter, owner object, member, link string, key ...string) error {
	list, request := listOf(owner, member), newRequest(link)
	request.Pace = pace
	var value []json.RawMessage
	pages := r.client.Pages(ctx, request, maxInnerPages, func(body []byte) (next string, err error) {
		var page object
		if err = graph.Decode(body, &page); err != nil {
			return "", err
		}
		if value = listOf(page, "value"); value == nil {
			return "", errors.New("the answer has no list of values")
		}
		return textOf(page, "@odata.nextLink"), nil
	})
	for _, err := range pages {
		if httpclient.KindOf(err).RefusesLink() {
			// The link has expired. The refusal isn't wrapped: it says nothing about the record.
			return fmt.Errorf("%w: %s", httpclient.ErrLinkExpired, err.Error())
		}
		if err != nil {
			return err
		}
		list = append(list, value...)
	}
	if list != nil { // else it is missing, or of another type, which decodeRecord finds
		owner[member] = marshal(unique(list, key))
	}
	return nil
}

// unique keeps the last of the elements that have the same key, at the place of the first.
func unique(list []json.RawMessage, key []string) []json.RawMessage {
	index, kept := make(map[string]int), list[:0]
	for _, element := range list {
		var members object
		_ = json.Unmarshal(element, &members) // what is no object has no key
		values := make([]string, len(key))
		for i, member := range key {
			values[i] = strings.ToLower(textOf(members, member))
		}
		name := strings.Join(values, " ")
		if before, again := index[name]; again && values[0] != "" {
			kept[before] = element
			continue
		}
		index[name] = len(kept)
		kept = append(kept, element)
	}
	return kept
}

// listOf is a member that is a list; nil if there is none.
func listOf(members object, name string) (list []json.RawMessage) {
	if json.Unmarshal(members[name], &list) != nil {
		return nil
	}
	return list
}

// textOf is a member that is a string; empty if there is none. Graph spells some names in two ways.
func textOf(members object, name string) (text string) {
	for key, value := range members {
		if strings.EqualFold(key, name) {
			_ = json.Unmarshal(value, &text) // what is no string is none
		}
	}
	return text
}

func marshal(value any) json.RawMessage {
	text, _ := json.Marshal(value) // it is valid
	return text
}

func newRequest(link string) httpclient.Request {
	return httpclient.Request{
		Feed: Feed, URL: link, Label: "callRecord", ExpectJSON: true,
		// Without it, members of enumerations that are newer than this API come as unknownFutureValue.
		Header: http.Header{"Prefer": {"include-unknown-enum-members"}},
	}
}
