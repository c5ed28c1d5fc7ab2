// Package config reads the YAML file that a user writes. It owns the types of the
// top level, their defaults and their validation, and it decodes the blocks of
// providers strictly into types that the providers define.
//
// Nothing is decoded by chance: an unknown or repeated key, a value of the wrong
// type or out of range, an environment variable that is not set, a secret given
// twice are problems, and all problems of a file are found in one pass, each with
// the file, the line and the path of the key. A file with a problem yields no
// configuration at all. The content of a secret appears in no problem, no log and
// no printed configuration.
//
// # Types of values
//
// Fields carry the tag `yaml:"key"`; a field without it is not a key. A struct
// embedded with `yaml:",inline"` adds its keys to those of the outer one. Decoded
// are string, bool, integers, floats, [time.Duration] (5m, 24h, 2d, 1h30m, 1.5h),
// [Secret] (the key x also accepts x_file), [File] (must be readable), [Path],
// [ProxyURL], anything that implements [encoding.TextUnmarshaler], slices, maps
// with string keys, map[string]Secret (x: name to secret, x_file: name to file),
// structs, and pointers to structs: nil while the key is absent, the defaults when
// it is bare (`pstn:`) or empty (`pstn: {}`). A scalar may be ${env:NAME} or
// ${env:NAME:-default}; $${ at its beginning is a literal ${.
//
// Defaults come from SetDefaults ([Defaulter]), rules from Validate ([Validator]).
// SetDefaults runs from the inside out, before decoding. Validate runs from the
// inside out, after decoding, also when something could not be decoded: a key that
// already has a problem gets no second one.
//
// # A provider
//
// A provider defines what its block holds, and nothing about YAML:
//
//	type Config struct {
//		TenantID     string        `yaml:"tenant_id"`
//		ClientSecret config.Secret `yaml:"client_secret"` // and client_secret_file
//		GraphURL     string        `yaml:"graph_url"`
//		PSTN         *PSTN         `yaml:"pstn"`
//	}
//
//	func (c *Config) SetDefaults() { c.GraphURL = "https://graph.example" }
//
//	func (c *Config) Validate(r *config.Report) {
//		r.Required("tenant_id", c.TenantID, "the id of the directory")
//		r.ExactlyOne("a credential", "client_secret", "managed_identity")
//		r.BaseURL("graph_url", c.GraphURL)
//		r.AtLeastOne("a feed", "pstn", "direct_routing")
//	}
//
//	type PSTN struct {
//		config.Feed `yaml:",inline"`
//	}
//
//	func (p *PSTN) SetDefaults() {
//		p.Feed = config.Feed{Interval: 5 * time.Minute, Lookback: 72 * time.Hour, LateAfter: 6 * time.Hour}
//	}
//
//	var Provider = config.Provider{Name: "msgraph", New: func() any { return new(Config) }}
//
// Its own tests decode a block with [Unmarshal], and compare the keys in the
// example file with [Keys].
package config
