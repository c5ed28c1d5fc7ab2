package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"

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
	if !json.Valid(body) {
		return httpclient.Retryable(errors.New("the answer is no JSON"))
	}
	return Unmarshal(body, into)
}

// Unmarshal decodes a JSON value. Its error is a *TypeError.
func Unmarshal(value []byte, into any) error {
	err := json.Unmarshal(value, into)
	if err == nil {
		return nil
	}
	problem := "a member can't be read"
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		is, _, _ := strings.Cut(wrong.Value, " ") // of a number, the decoder adds which
		problem = cmp.Or(wrong.Field, "the value") + " has the wrong type: " + is
	}
	return &TypeError{Body: value, Problem: problem}
}
