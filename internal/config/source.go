package config

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"
)

var (
	sourceName      = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	emergencyNumber = regexp.MustCompile(`^([A-Z]{2}:)?\+?[0-9]{2,15}$`)
)

// Source is one account of one provider.
type Source struct {
	// Name is unique; it is the value of the label `source`.
	Name string `yaml:"name"`
	// RenamedFrom is the former name of the source, whose state this one continues.
	RenamedFrom string `yaml:"renamed_from"`
	// History is how far back the first start of a feed reads.
	History   time.Duration `yaml:"history"`
	TLSConfig TLSConfig     `yaml:"tls_config"`
	// ProxyURL is the proxy to the provider; if not set, the environment's proxy applies.
	ProxyURL ProxyURL `yaml:"proxy_url"`
	// RequestsPerMinute limits the requests; 0 means the provider's own default.
	RequestsPerMinute int `yaml:"requests_per_minute"`
	// EmergencyNumbers are the numbers that count as emergency services.
	EmergencyNumbers []string `yaml:"emergency_numbers"`

	// ProviderName is the key of the source's block, and the label `provider`.
	ProviderName string
	// Provider is the decoded block, of the type that [Options.Providers] has for it. It is nil
	// only in a source with problems.
	Provider any
}

// SetDefaults implements [Defaulter].
func (s *Source) SetDefaults() {
	s.History = 24 * time.Hour
	// Numbers that are emergency numbers in some countries and something else in others (110 and
	// 118, in Europe) only count from these countries.
	s.EmergencyNumbers = []string{
		"911", "933", "112", "999", "AU:000", "AU:106", "DE:110", "JP:110", "JP:118",
		"JP:119",
	}
}

// Validate implements [Validator].
func (s *Source) Validate(r *Report) {
	const form = "letters, digits, _ and -"
	r.Required("name", s.Name, "a name of "+form)
	for _, name := range [][2]string{{"name", s.Name}, {"renamed_from", s.RenamedFrom}} {
		if name[1] != "" && !sourceName.MatchString(name[1]) {
			r.Problemf(name[0], "must consist of %s, is %s", form, shorten(name[1]))
		}
	}
	r.DurationAtLeast("history", s.History, 0)
	if r.Given("requests_per_minute") {
		r.AtLeast("requests_per_minute", int64(s.RequestsPerMinute), 1)
	}
	for i, number := range s.EmergencyNumbers {
		country, _, scoped := strings.Cut(number, ":")
		if !emergencyNumber.MatchString(number) {
			r.Problemf(indexed("emergency_numbers", i), "must be a number as it is dialled, such as \"112\" "+
				"(2 to 15 digits, with + in front if needed), or \"DE:110\" if it counts from that country's "+
				"numbers only")
		} else if scoped && !phonenumbers.GetSupportedRegions()[country] {
			r.Problemf(indexed("emergency_numbers", i), "must begin with a country of ISO 3166, such as GB for the "+
				"United Kingdom: no number is from %s", country)
		}
	}
	if s.ProviderName == "" && len(r.decoder.Providers) > 0 {
		r.Problemf("", "has no provider; add one of the blocks %s",
			orList(slices.Sorted(maps.Keys(r.decoder.Providers))))
	}
}

// block is a provider's block that can't be compared as a value, or that may read nothing.
type block interface {
	// SameAs says whether another block is equal.
	SameAs(other any) bool
	// IsPostedOnly says that records are only posted, to an address with the source's name.
	IsPostedOnly() bool
}

// readsSame says that both sources read the same records: their blocks are equal, and so is the way to the provider. A
// client's certificate may name the account, and an address is another system's in another network.
func (s *Source) readsSame(other *Source) bool {
	if !reflect.DeepEqual(s.TLSConfig, other.TLSConfig) || !reflect.DeepEqual(s.ProxyURL, other.ProxyURL) {
		return false
	}
	b, ok := s.Provider.(block)
	return s.Provider != nil && s.SameBlock(other) && (!ok || !b.IsPostedOnly())
}

// SameBlock says whether both sources have the same provider, with equal blocks.
func (s *Source) SameBlock(other *Source) bool {
	if b, ok := s.Provider.(block); ok {
		return b.SameAs(other.Provider)
	}
	return s.ProviderName == other.ProviderName && reflect.DeepEqual(s.Provider, other.Provider)
}

// decodeBlock decodes the block of a provider. It returns false if the key isn't a provider's name.
func (d *decoder) decodeBlock(source *Source, e *entry) bool {
	newBlock, known := d.Providers[e.key]
	switch {
	case known && source.ProviderName != "":
		d.fail(e.at, "this source already has the provider %s; configure %s in a separate source", source.ProviderName,
			e.key)
	case known:
		source.ProviderName, source.Provider = e.key, newBlock()
		block := reflect.ValueOf(source.Provider).Elem()
		setDefaults(block)
		d.decode(block, &e.value, e.at)
	}
	return known
}
