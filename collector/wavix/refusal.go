package wavix

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// refusal has the members of an answer other than rows: {"success": false, "message": "..."}, with
// an error status or with 200.
type refusal struct {
	failed  bool
	message string
}

// failedError is an answer with status 200 that says that it failed, with the provider's message if
// that may be printed.
type failedError struct{ message string }

func (e *failedError) Error() string {
	const text = "the answer says that the request failed"
	if e.message == "" {
		return text
	}
	return text + ", " + quoted(e.message)
}

func quoted(message string) string { return `Wavix says "` + message + `"` }

// member reads a member of an answer's envelope.
func (r *refusal) member(name string, raw jsontext.Value) {
	switch folded(name) {
	case "success":
		r.failed = r.failed || raw.Kind() == 'f'
	case "error":
		r.failed = r.failed || raw.Kind() != 'f' && raw.Kind() != 'n'
	case "message":
		r.message = messageOf(raw)
	}
}

func (r *refusal) err() error {
	if !r.failed {
		return nil
	}
	return &failedError{r.message}
}

// readEnvelope reads an answer that is an object; typeError is the error if it isn't one.
// readMember reads the members that it knows, and returns whether it did; the others say whether
// the request failed.
func readEnvelope(
	body []byte, typeError string, readMember func(in *wire.Input, name string) (taken bool, err error),
) error {
	in := wire.NewInput()
	var r refusal
	err := in.Document(body, typeError, func(name string) error {
		if taken, err := readMember(in, folded(name)); taken || err != nil {
			return err
		}
		raw, err := in.JSON.ReadValue()
		if err == nil {
			r.member(name, raw)
		}
		return err
	})
	return cmp.Or(err, r.err())
}

// quote is the httpclient.Settings.Quote of Wavix: its message.
func quote(answer []byte) string {
	if message := readMessage(answer); message != "" {
		return quoted(message)
	}
	return ""
}

// readMessage is the provider's message in a refused answer. It is empty if the answer isn't the
// provider's: a gateway's page, an empty answer.
func readMessage(answer []byte) string {
	var body struct {
		Message jsontext.Value `json:"message"`
	}
	if json.Unmarshal(answer, &body, jsontext.AllowInvalidUTF8(true)) != nil {
		return ""
	}
	return messageOf(body.Message)
}

// invalidParameter matches a message about a parameter that we send.
var invalidParameter = regexp.MustCompile(`^(Missing or invalid parameter (?:from|to|type|disposition|page|per_page|appid))\.?$`)

// messageOf is a message if it is known, else empty: an unknown message might contain anything, so
// it isn't printed.
func messageOf(raw jsontext.Value) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	text = strings.TrimSpace(text)
	for known := range messages {
		if strings.EqualFold(strings.TrimSuffix(text, "."), strings.TrimSuffix(known, ".")) {
			return known
		}
	}
	if match := invalidParameter.FindStringSubmatch(text); match != nil {
		return match[1]
	}
	return ""
}
