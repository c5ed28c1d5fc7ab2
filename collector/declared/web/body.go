package web

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// requestBody is a JSON body. Its texts may name parameters and the ends of the span.
type requestBody struct {
	value any // map[string]any, []any, string, or jsontext.Value for other values
}

// DecodeNode implements config.NodeDecoder.
func (b *requestBody) DecodeNode(n *config.Node) {
	if !n.IsMap() {
		n.Problemf("must be a mapping (it is sent as a JSON object), is %s", n.Form())
		return
	}
	b.value = ValueOf(n)
}

// ValueOf is a value of a definition as json writes it: numbers, truth values and null stay as they
// are written.
func ValueOf(n *config.Node) any {
	switch {
	case n.IsMap():
		object := make(map[string]any)
		for _, f := range n.Fields() {
			object[f.Key] = ValueOf(f.Value)
		}
		return object
	case n.IsList():
		list := make([]any, 0)
		for _, item := range n.Items() {
			list = append(list, ValueOf(item))
		}
		return list
	case n.IsNull():
		return jsontext.Value("null")
	case n.IsPlain() && rows.IsJSON([]byte(n.Text())):
		return jsontext.Value(n.Text())
	}
	return n.Text()
}

// Walk implements language.Walked.
func (b *requestBody) Walk(path string, visit func(key string, found any)) any {
	eachLeaf(path, "", b.value, func(path, _ string, value any) {
		if text, is := value.(string); is {
			visit(path, language.Text{Text: text, Secrets: true})
		}
	})
	return nil
}

// numbers are the numbers of the body by the last name of their keys.
func (b *requestBody) numbers() map[string]string {
	all := make(map[string]string)
	if b == nil {
		return all
	}
	eachLeaf("", "", b.value, func(_, name string, value any) {
		if number, is := value.(jsontext.Value); is {
			all[name] = string(number)
		}
	})
	return all
}

func eachLeaf(path, name string, value any, leaf func(path, name string, value any)) {
	switch v := value.(type) {
	case map[string]any:
		for key, member := range v {
			eachLeaf(config.KeyPath(path, key), key, member, leaf)
		}
	case []any:
		for i, element := range v {
			eachLeaf(fmt.Sprintf("%s[%d]", path, i), name, element, leaf)
		}
	default:
		leaf(path, name, v)
	}
}

// body is the body of the first page of a list, or nil. As in an address, it has the names of secrets.
func (f *Feed) body(p piece) *requestBody {
	if f.Request.Method != http.MethodPost {
		return nil
	}
	body := &requestBody{make(map[string]any)}
	if given := f.Request.Body; given != nil {
		body.value = mapTexts(given.value, func(text string) any { return f.bodyText(text, p) })
	}
	if f.Next.Page != "" && f.Next.In == inBody {
		body.set(f.Next.Page, f.Next.From)
	}
	return body
}

// numberTime matches a text that is only a time in a numeric form, and so becomes a number.
var numberTime = regexp.MustCompile(`^\{(?:from|to)\|unix(?:_ms|_us)?\}$`)

// bodyText is the value of a text in a body: a number, a list, or a text.
func (f *Feed) bodyText(text string, p piece) any {
	filled := f.fill(text, p)
	if numberTime.MatchString(text) {
		return jsontext.Value(filled)
	}
	if name := strings.Trim(text, "{}"); text == "{"+name+"}" && f.lists[name] {
		return slices.Clone(f.Parameters[name])
	}
	return filled
}

// mapTexts is a copy of a body's value with each text replaced.
func mapTexts(value any, replace func(text string) any) any {
	switch v := value.(type) {
	case map[string]any:
		object := make(map[string]any, len(v))
		for key, member := range v {
			object[key] = mapTexts(member, replace)
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i, element := range v {
			list[i] = mapTexts(element, replace)
		}
		return list
	case string:
		return replace(v)
	}
	return value
}

// set sets the value at a path and makes missing objects.
func (b *requestBody) set(at string, value any) {
	segments, _ := language.ParsePath(at) // Next.Validate has checked it
	object, _ := b.value.(map[string]any)
	for i, name := range segments {
		if i == len(segments)-1 {
			object[name] = value
			return
		}
		inner, is := object[name].(map[string]any)
		if !is {
			inner = make(map[string]any)
			object[name] = inner
		}
		object = inner
	}
}

// json is the body to send. Equal values give an equal text.
func (b *requestBody) json() []byte {
	if b == nil {
		return nil
	}
	// all values can be written
	text, _ := json.Marshal(b.value, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	return text
}
