package laws

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// decode reads JSON and keeps numbers as they are written.
func decode(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

func encode(value any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // only a damaged row can't be written; then the text is empty
	return strings.TrimSuffix(b.String(), "\n")
}

// isObject says whether a row is a JSON object, and not a line, an element of XML or a statement.
func isObject(text string) bool { return strings.HasPrefix(text, "{") }

// missing, as the new value of a place, takes the place away.
type missing struct{}

// put returns doc with another value at a path, which is created if it isn't there.
func put(doc any, steps []string, value any) any {
	if len(steps) == 0 {
		if value == any(missing{}) {
			return nil // of a list, so that the others keep their places
		}
		return value
	}
	const mostElements = 100 // a larger number is the name of a member
	index, err := strconv.Atoi(steps[0])
	if list, is := doc.([]any); err == nil && 0 <= index && index < mostElements && (is || doc == nil) {
		for len(list) <= index {
			list = append(list, nil)
		}
		list[index] = put(list[index], steps[1:], value)
		return list
	}
	object, is := doc.(map[string]any)
	if !is {
		object = make(map[string]any)
	}
	if len(steps) == 1 && value == any(missing{}) {
		delete(object, steps[0])
		return object
	}
	object[steps[0]] = put(object[steps[0]], steps[1:], value)
	return object
}

// valueAt is what is at a path.
func valueAt(doc any, steps []string) (value any, found bool) {
	for _, step := range steps {
		switch d := doc.(type) {
		case map[string]any:
			doc, found = d[step]
		case []any:
			index, err := strconv.Atoi(step)
			if found = err == nil && 0 <= index && index < len(d); found {
				doc = d[index]
			}
		default:
			found = false
		}
		if !found {
			return nil, false
		}
	}
	return doc, true
}

// isEmpty says whether a value says no: it is null, false, 0 or empty.
func isEmpty(value any) bool {
	return slices.Contains([]string{"<nil>", "false", "0", ""}, fmt.Sprint(value))
}

// amend is a JSON object with some other values; null takes one away. Another text is replaced.
func amend(text, patch string) (string, error) {
	var base, other any
	if !isObject(text) || patch == "" {
		return cmp.Or(patch, text), nil
	}
	if err := decode(text, &base); err != nil {
		return "", fmt.Errorf("isn't JSON: %w", err)
	}
	if err := decode(patch, &other); err != nil || !isObject(patch) {
		return "", errors.New("must be a mapping of what is different")
	}
	return encode(merge(base, other)), nil
}

func merge(base, other any) any {
	b, isMap := base.(map[string]any)
	o, both := other.(map[string]any)
	if !isMap || !both {
		return other
	}
	for key, value := range o {
		if value == nil {
			delete(b, key)
		} else {
			b[key] = merge(b[key], value)
		}
	}
	return b
}
