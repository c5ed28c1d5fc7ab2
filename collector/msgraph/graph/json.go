package graph

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// Collection is a page of a collection that is small enough to decode into structs.
type Collection[T any] struct {
	Value []T    `json:"value"`
	Next  string `json:"@odata.nextLink"`
}

// TypeError is an answer that is JSON, but has other types than documented.
type TypeError struct {
	// Body is the answer. Error doesn't print it.
	Body []byte
	// Problem names the member and its type, without the value.
	Problem string
}

func (e *TypeError) Error() string { return "the answer isn't as documented: " + e.Problem }

// Decode decodes an answer. Its error is retryable if the text isn't JSON. JSON with wrong types is
// a *TypeError.
func Decode(body []byte, into any) error {
	err := Unmarshal(body, into)
	if err != nil && !jsontext.Value(body).IsValid(lenient) {
		return httpclient.Retryable(errors.New("the answer isn't JSON"))
	}
	return err
}

// lenient accepts what Graph sends: two spellings of some names, perhaps both at once, and texts
// that aren't UTF-8.
var lenient = json.JoinOptions(json.MatchCaseInsensitiveNames(true), jsontext.AllowDuplicateNames(true),
	jsontext.AllowInvalidUTF8(true))

// Unmarshal decodes a JSON value. Its error is a *TypeError.
func Unmarshal(value []byte, into any) error {
	err := json.Unmarshal(value, into, lenient)
	if err == nil {
		return nil
	}
	problem := "a member can't be read"
	if wrong, ok := errors.AsType[*json.SemanticError](err); ok {
		// Member names come from our own types; the numbers of elements don't matter.
		names := slices.DeleteFunc(slices.Collect(wrong.JSONPointer.Tokens()),
			func(name string) bool { return strings.Trim(name, "0123456789") == "" })
		problem = cmp.Or(strings.Join(names, "."), "the value") + " has the wrong type: " + kinds[wrong.JSONKind]
		if wrong.Err != nil {
			problem = cmp.Or(strings.Join(names, "."), "the value") + " can't be read"
		}
	}
	return &TypeError{Body: value, Problem: problem}
}

var kinds = map[jsontext.Kind]string{
	'{': "object", '[': "array", '"': "string", '0': "number", 't': "bool",
	'f': "bool", 'n': "null",
}

var (
	guid = regexp.MustCompile(`(?i)^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`)
	// errorCode matches Graph's error codes; any other text isn't printed.
	errorCode = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]{0,63}$`)
)

// IsGUID says whether text is a GUID, in upper or lower case. Only GUIDs may become part of a link.
func IsGUID(text string) bool { return guid.MatchString(text) }

// Quote is the httpclient.Settings.Quote of Graph: its error code, which says more than the status.
// It omits Graph's message, which is free text and often empty.
func Quote(answer []byte) string {
	var body struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	// An answer that isn't from Graph, such as a gateway's page, has no code.
	if json.Unmarshal(answer, &body, lenient) != nil || !errorCode.MatchString(body.Error.Code) {
		return ""
	}
	return "Graph says " + body.Error.Code
}
