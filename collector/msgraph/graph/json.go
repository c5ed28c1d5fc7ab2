package graph

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// Collection is a page of a collection that is small enough for structs.
type Collection[T any] struct {
	Value []T    `json:"value"`
	Next  string `json:"@odata.nextLink"`
}

// TypeError is an answer that is JSON, but not of the documented types.
type TypeError struct {
	// Body is the answer. Error doesn't print it.
	Body []byte
	// Problem names the member and its type, without the value.
	Problem string
}

func (e *TypeError) Error() string { return "the answer isn't what it should be: " + e.Problem }

// Fetch sends a request and decodes its answer. Text that isn't JSON is asked for again; JSON of other types is a *TypeError.
func Fetch(ctx context.Context, client *httpclient.Client, request httpclient.Request, into any) error {
	return client.Fetch(ctx, request, func(body []byte) error { return Decode(body, into) })
}

// Decode decodes an answer, with the errors of Fetch.
func Decode(body []byte, into any) error {
	err := Unmarshal(body, into)
	if err != nil && !jsontext.Value(body).IsValid(lenient) {
		return httpclient.Retryable(errors.New("the answer is no JSON"))
	}
	return err
}

// lenient reads what Graph sends: the names of some members in two ways, perhaps twice, and texts that aren't UTF-8.
var lenient = json.JoinOptions(json.MatchCaseInsensitiveNames(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Unmarshal decodes a JSON value. Its error is a *TypeError.
func Unmarshal(value []byte, into any) error {
	err := json.Unmarshal(value, into, lenient)
	if err == nil {
		return nil
	}
	problem := "a member can't be read"
	if wrong, ok := errors.AsType[*json.SemanticError](err); ok {
		// The names of members are those that are decoded; the numbers of elements don't matter.
		names := slices.DeleteFunc(slices.Collect(wrong.JSONPointer.Tokens()), func(name string) bool { return strings.Trim(name, "0123456789") == "" })
		problem = cmp.Or(strings.Join(names, "."), "the value") + " has the wrong type: " + kinds[wrong.JSONKind]
		if wrong.Err != nil {
			problem = cmp.Or(strings.Join(names, "."), "the value") + " can't be read"
		}
	}
	return &TypeError{Body: value, Problem: problem}
}

var kinds = map[jsontext.Kind]string{'{': "object", '[': "array", '"': "string", '0': "number", 't': "bool", 'f': "bool", 'n': "null"}

var (
	guid = regexp.MustCompile(`(?i)^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`)
	// errorCode is what Graph's error codes look like; anything else isn't printed.
	errorCode = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]{0,63}$`)
)

// IsGUID says whether text is a GUID, in any case. Only GUIDs may become part of a link.
func IsGUID(text string) bool { return guid.MatchString(text) }

// Quote is the httpclient.Settings.Quote of Graph: its error code, which says more than the status. Graph's message is left out: it is free text,
// and often empty.
func Quote(answer []byte) string {
	var body struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	// An answer that isn't Graph's, such as a gateway's page, has no code.
	if json.Unmarshal(answer, &body, lenient) != nil || !errorCode.MatchString(body.Error.Code) {
		return ""
	}
	return "Graph says " + body.Error.Code
}
