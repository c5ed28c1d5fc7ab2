package config

import "time"

// Config is a configuration file with its defaults. It is not changed after it was loaded, and safe for concurrent use. Secrets print as
// <secret>.
type Config struct {
	Storage Storage `yaml:"storage"`
	Metrics Metrics `yaml:"metrics"`
	Privacy Privacy `yaml:"privacy"`
	// OTLP is nil if its key is absent; see [ResolveOTLP].
	OTLP    *OTLP    `yaml:"otlp"`
	Sources []Source `yaml:"sources"`
}

// Storage says where the ledger is.
type Storage struct {
	// Path is the ledger's folder.
	Path Path `yaml:"path"`
}

// Metrics are the settings of all metrics.
type Metrics struct {
	// ZeroFor is how long a new series shows 0 before its value.
	ZeroFor time.Duration `yaml:"zero_for"`
	// SeriesLimit is the number of label sets per metric, source and feed.
	SeriesLimit int `yaml:"series_limit"`
	// MediaBypassWindow is the trailing window of cdr_media_bypass_ratio.
	MediaBypassWindow time.Duration `yaml:"media_bypass_window"`
	// NativeHistograms says whether they are exposed beside the classic ones.
	NativeHistograms bool `yaml:"native_histograms"`
}

// Ways to treat personal data.
const (
	PrivacyMask = "mask"
	PrivacyHash = "hash"
	PrivacyDrop = "drop"
	PrivacyKeep = "keep"
)

// Privacy says how logs, ledger, status page and printed records treat personal data: each is one of the Privacy constants.
type Privacy struct {
	// Numbers are telephone numbers.
	Numbers string `yaml:"numbers"`
	// Users are names, user principal names and user ids.
	Users string `yaml:"users"`
	// Addresses are IP addresses.
	Addresses string `yaml:"addresses"`
	// HashKey is the key of the HMAC; if it is not set, a random one is kept in the ledger.
	HashKey Secret `yaml:"hash_key"`
}

// SetDefaults implements [Defaulter].
func (s *Storage) SetDefaults() { s.Path = "data" }

// Validate implements [Validator].
func (s *Storage) Validate(r *Report) { r.Required("path", string(s.Path), "a folder for the ledger") }

// SetDefaults implements [Defaulter].
func (m *Metrics) SetDefaults() {
	*m = Metrics{
		ZeroFor:           2 * time.Minute,
		SeriesLimit:       10_000,
		MediaBypassWindow: time.Hour,
		NativeHistograms:  true,
	}
}

// Validate implements [Validator].
func (m *Metrics) Validate(r *Report) {
	r.DurationAtLeast("zero_for", m.ZeroFor, 0)
	r.AtLeast("series_limit", int64(m.SeriesLimit), 1)
	if m.MediaBypassWindow <= 0 {
		r.Problemf("media_bypass_window", "must be longer than 0s, is %s", formatDuration(m.MediaBypassWindow))
	}
}

// SetDefaults implements [Defaulter].
func (p *Privacy) SetDefaults() {
	*p = Privacy{Numbers: PrivacyMask, Users: PrivacyHash, Addresses: PrivacyDrop}
}

// Validate implements [Validator].
func (p *Privacy) Validate(r *Report) {
	for _, mode := range [][2]string{{"numbers", p.Numbers}, {"users", p.Users}, {"addresses", p.Addresses}} {
		r.OneOf(mode[0], mode[1], PrivacyMask, PrivacyHash, PrivacyDrop, PrivacyKeep)
	}
}

// Validate implements [Validator]: at least one source, each name once.
func (c *Config) Validate(r *Report) {
	if len(c.Sources) == 0 {
		r.Problemf("sources", "is missing; give at least one source to read")
	}
	names, successors := map[string]int{}, map[string]int{}
	for i, source := range c.Sources {
		if first, taken := names[source.Name]; taken && source.Name != "" {
			r.Problemf(indexed("sources", i)+".name", "%s is already the name of sources[%d]; names must be unique", shorten(source.Name), first)
			continue
		}
		names[source.Name] = i
	}
	for i, source := range c.Sources {
		old := source.RenamedFrom
		if old == "" {
			continue
		}
		key := indexed("sources", i) + ".renamed_from"
		if owner, exists := names[old]; exists {
			r.Problemf(key, "%s is the name of sources[%d], which still has its state; name a source that is no longer configured", shorten(old), owner)
		} else if first, taken := successors[old]; taken {
			r.Problemf(key, "the state of %s is already taken over by sources[%d]", shorten(old), first)
		} else {
			successors[old] = i
		}
	}
}

// Source returns the source with the name, nil if there is none.
func (c *Config) Source(name string) *Source {
	for i := range c.Sources {
		if c.Sources[i].Name == name {
			return &c.Sources[i]
		}
	}
	return nil
}
