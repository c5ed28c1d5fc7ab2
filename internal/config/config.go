package config

import (
	"net/url"
	"time"
)

// Config is a configuration file with its defaults. It doesn't change after loading, so it is safe
// for concurrent use. Secrets print as <secret>.
type Config struct {
	Storage Storage `yaml:"storage"`
	Metrics Metrics `yaml:"metrics"`
	Privacy Privacy `yaml:"privacy"`
	// OTLP is nil if its key is absent; see [ResolveOTLP].
	OTLP *OTLP `yaml:"otlp"`
	// RulesFile has the parameters of the alerting rules; empty means the defaults.
	RulesFile File `yaml:"rules_file"`
	// Audit says when the exporter audits by itself.
	Audit Audit `yaml:"audit"`
	// Definitions are files, or patterns of files, that describe additional providers
	// (docs/definitions.md).
	Definitions []string `yaml:"definitions"`
	// Labels are the operator's.
	Labels  []Label  `yaml:"labels"`
	Sources []Source `yaml:"sources"`
}

// Storage says where the ledger is.
type Storage struct {
	// Path is the ledger's folder, absolute once it is loaded; empty with Postgres.
	Path string `yaml:"path"`
	// Postgres is used instead of Path, if set.
	Postgres *Postgres `yaml:"postgres"`
}

// Postgres is a PostgreSQL database, which several replicas can share.
type Postgres struct {
	// DSN is a URL or key=value pairs.
	DSN       Secret    `yaml:"dsn"`
	TLSConfig TLSConfig `yaml:"tls_config"`
	// Address is the URL by which other replicas' status pages link to this one; if empty, it is
	// made of the host's name and the port.
	Address string `yaml:"address"`
}

// Metrics are the settings of all metrics.
type Metrics struct {
	// ZeroFor is how long a new series shows 0 before its value.
	ZeroFor time.Duration `yaml:"zero_for"`
	// SeriesLimit is the number of label sets per metric, source and feed.
	SeriesLimit int `yaml:"series_limit"`
	// NativeHistograms says whether native histograms are exposed in addition to classic ones.
	NativeHistograms bool `yaml:"native_histograms"`
}

// Ways to treat personal data.
const (
	PrivacyMask = "mask"
	PrivacyHash = "hash"
	PrivacyDrop = "drop"
	PrivacyKeep = "keep"
	// PrivacySubnet is the mask of an address.
	PrivacySubnet = "subnet"
)

// Privacy says how logs, ledger, status page and printed records treat personal data: each is one
// of the Privacy constants.
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
func (c *Config) SetDefaults() {
	c.Storage.SetDefaults()
	c.Metrics = Metrics{
		ZeroFor: 2 * time.Minute, SeriesLimit: 10_000,
		NativeHistograms: true,
	}
	c.Privacy = Privacy{Numbers: PrivacyMask, Users: PrivacyHash, Addresses: PrivacyDrop}
}

// SetDefaults implements [Defaulter].
func (s *Storage) SetDefaults() { *s = Storage{Path: "data"} }

// Validate implements [Validator].
func (s *Storage) Validate(r *Report) {
	r.NotBoth("the ledger", "path", "postgres")
	if s.Postgres == nil {
		r.Required("path", s.Path, "a folder for the ledger")
	} else {
		s.Path = ""
	}
}

// Validate implements [Validator].
func (p *Postgres) Validate(r *Report) {
	r.RequiredSecret("dsn", p.DSN, "the address of the database, such as postgres://cdr:password@db.example:5432/cdr,")
	if u, err := url.Parse(p.Address); p.Address != "" &&
		(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		r.Problemf("address", "must be the URL of this replica's status page, such as http://10.0.0.7:9887")
	}
}

// Validate implements [Validator].
func (m *Metrics) Validate(r *Report) {
	r.DurationAtLeast("zero_for", m.ZeroFor, 0)
	r.AtLeast("series_limit", int64(m.SeriesLimit), 1)
}

// Validate implements [Validator].
func (p *Privacy) Validate(r *Report) {
	r.OneOf("numbers", p.Numbers, PrivacyMask, PrivacyHash, PrivacyDrop, PrivacyKeep)
	r.OneOf("users", p.Users, PrivacyMask, PrivacyHash, PrivacyDrop, PrivacyKeep)
	r.OneOf("addresses", p.Addresses, PrivacySubnet, PrivacyHash, PrivacyDrop, PrivacyKeep)
}

// Validate implements [Validator]. The ledger's folder becomes absolute here, since it has a default.
func (c *Config) Validate(r *Report) {
	c.Storage.Path = r.decoder.resolve(c.Storage.Path)
	if len(c.Sources) == 0 {
		r.Problemf("sources", "is missing; add at least one source to read")
	}
	c.validateLabels(r)
	owners := map[string]string{}
	claim := func(i int, key, name string) {
		key = indexed("sources", i) + key
		if owner, taken := owners[name]; taken {
			r.Problemf(key, "%s is already used as %s; every source needs its own name", shorten(name), owner)
		} else if name != "" {
			owners[name] = key
		}
	}
	for i, source := range c.Sources {
		claim(i, ".name", source.Name)
	}
	for i, source := range c.Sources {
		claim(i, ".renamed_from", source.RenamedFrom)
	}
	for i := range c.Sources {
		for j := range i {
			if c.Sources[i].readsSame(&c.Sources[j]) {
				r.Problemf(indexed("sources", i), "reads the same calls as %s, so each would count twice; remove one "+
					"of the two, or correct its %s", indexed("sources", j), c.Sources[i].ProviderName)
				break
			}
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

// TimeOfDay is the layout of a time of day.
const TimeOfDay = "15:04"

// Audit says when the exporter audits by itself.
type Audit struct {
	// Daily is a time of day in UTC, in the form TimeOfDay; empty: never.
	Daily string `yaml:"daily"`
}

// Validate implements [Validator].
func (a *Audit) Validate(r *Report) {
	if at, err := time.Parse(TimeOfDay, a.Daily); a.Daily != "" && (err != nil || at.Format(TimeOfDay) != a.Daily) {
		r.Problemf("daily", "must be a time of day in UTC, such as \"03:30\", is %s", shorten(a.Daily))
	}
}
