// Package labels looks up the operator's labels of a call: departments, sites, cost centres. They
// come from the operator's CSV files or from the provider's own fields. The files limit the number
// of values. It looks a record up before redaction and keeps only the value.
//
// Our own party decides: the caller of an outbound or internal call, the callee of an inbound one.
package labels

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Set is the labels of a configuration. It is immutable and safe for concurrent use. A nil Set has
// no labels.
type Set struct {
	labels []label // of calls
	places []label // of media streams
}

type label struct {
	name, key string
	// values maps normalised keys to values. If it is nil, the value comes from the provider's own
	// fields.
	values map[string]string
	// lengths are the prefix lengths of a label by subnet, the longest first.
	lengths []int
	// longest is the length of the longest key.
	longest int
}

// Names are the names of the labels of calls.
func (s *Set) Names() (names []string) {
	if s == nil {
		return nil
	}
	for _, l := range s.labels {
		names = append(names, l.name)
	}
	return names
}

// Apply gives records of a source their labels.
func (s *Set) Apply(source string, records []*cdr.Record) {
	if s == nil || len(s.labels)+len(s.places) == 0 {
		return
	}
	found := make([]cdr.Label, 0, len(s.labels)+len(s.places))
	for _, r := range records {
		found = found[:0]
		for i := range s.labels {
			l := &s.labels[i]
			found = append(found, cdr.Label{Name: l.name, Value: l.value(source, r)})
		}
		r.Labels = cdr.NewLabels(found)
		s.applyPlaces(r, found)
	}
}

// value is the label's value for a record, or empty.
func (l *label) value(source string, r *cdr.Record) string {
	if l.values == nil {
		return providerValue(l.name, r)
	}
	switch l.key {
	case config.LabelByUser:
		return l.ofUser(r)
	case config.LabelByNumber:
		return l.ofNumber(r)
	case config.LabelByTrunk:
		return l.values[normalise(l.key, r.Trunk)]
	default:
		return l.values[normalise(l.key, source)]
	}
}

// providerValue is the provider's own value in a form that a label can show.
func providerValue(name string, r *cdr.Record) string {
	i := slices.IndexFunc(r.ProviderLabels, func(l cdr.Label) bool { return l.Name == name })
	if i < 0 {
		return ""
	}
	value := cdr.HideNumbers(strings.TrimSpace(r.ProviderLabels[i].Value))
	if checkValue(value) != "" {
		return ""
	}
	return value
}

// ofUser looks our user up by principal name, id and extension. A provider may list an internal
// call for its callee too: if the row has the caller's extension, only the extension decides.
func (l *label) ofUser(r *cdr.Record) string {
	caller := extras(r, "from_extension_number", "from_extension_id")
	if r.Direction == cdr.Internal && len(caller) > 0 {
		return l.ofFirst(caller...)
	}
	ours := caller
	if r.Direction == cdr.Inbound {
		ours = extras(r, "to_extension_number", "to_extension_id")
	}
	keys := append([]string{r.UserPrincipal, r.UserID}, append(ours, extras(r, "extension_id")...)...)
	return l.ofFirst(append(keys, ownNumber(r))...)
}

// extras are the values that a record has in a provider's own fields.
func extras(r *cdr.Record, fields ...string) (values []string) {
	for i := range r.Extra {
		if a := &r.Extra[i]; slices.Contains(fields, a.Key) {
			values = append(values, a.Str)
		}
	}
	return values
}

// ofFirst is the value of the first key that has one.
func (l *label) ofFirst(keys ...string) string {
	for _, key := range keys {
		if value := l.values[normalise(l.key, key)]; value != "" {
			return value
		}
	}
	return ""
}

// ofNumber looks up the longest prefix of our number.
func (l *label) ofNumber(r *cdr.Record) string {
	number := normalise(l.key, ownNumber(r))
	for n := min(len(number), l.longest); n > 0; n-- {
		if value, known := l.values[number[:n]]; known {
			return value
		}
	}
	return ""
}

func ownNumber(r *cdr.Record) string {
	if r.Direction == cdr.Inbound {
		return r.CalleeNumber
	}
	return r.CallerNumber
}

// signs are characters that people write in numbers. The plus is among them, since not every
// provider sends it.
var signs = strings.NewReplacer("+", "", " ", "", "-", "", "(", "", ")", "", ".", "", "/", "")

// normalise makes keys comparable.
func normalise(kind, key string) string {
	key = strings.TrimSpace(key)
	switch kind {
	case config.LabelByUser: // a feed may lower them
		return strings.ToLower(key)
	case config.LabelByTrunk: // and hides a trunk's number
		return strings.ToLower(cdr.HideNumbers(key))
	case config.LabelByNumber:
		return signs.Replace(key)
	case config.LabelBySubnet:
		return normaliseNetwork(key)
	}
	return key
}

// byName orders labels.
func byName(a, b label) int { return cmp.Compare(a.name, b.name) }
