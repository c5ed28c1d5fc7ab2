package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// treeObject is a call as JSON.
type treeObject collector.CallTree

// MarshalJSON implements json.Marshaler.
func (t *treeObject) MarshalJSON() ([]byte, error) {
	children := make([]*treeObject, len(t.Children))
	for i, child := range t.Children {
		children[i] = (*treeObject)(child)
	}
	return marshal(struct {
		Label    string        `json:"label"`
		Fields   fieldsObject  `json:"fields"`
		Children []*treeObject `json:"children,omitempty"`
	}{t.Label, t.Fields, children})
}

// fieldsObject is an object whose members stay in their order.
type fieldsObject []cdr.Attr

// MarshalJSON implements json.Marshaler.
func (f fieldsObject) MarshalJSON() ([]byte, error) {
	object := []byte{'{'}
	for i := range f {
		key, err := marshal(f[i].Key)
		if err != nil {
			return nil, err
		}
		value, err := marshal(attrValue(&f[i]))
		if err != nil {
			return nil, err
		}
		if i > 0 {
			object = append(object, ',')
		}
		object = append(append(append(object, key...), ':'), value...)
	}
	return append(object, '}'), nil
}

// marshal is json.Marshal without the escapes that only web pages want.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write %T as JSON: %w", v, err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte{'\n'}), nil
}
