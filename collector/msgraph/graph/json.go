package graph

import (
	"cmp"
	"context"
	"errors"
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
