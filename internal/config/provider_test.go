package config_test

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// acme is the block of a provider that uses everything that blocks can hold.
type acme struct {
	TenantID string           `yaml:"tenant_id"`
	Secret   config.Secret    `yaml:"client_secret"`
	Identity *acmeIdentity    `yaml:"managed_identity"`
	Cert     config.File      `yaml:"certificate_file"`
	BaseURL  string           `yaml:"base_url"`
	Types    []string         `yaml:"types"`
	Small    int8             `yaml:"small"`
	Calls    *acmeCalls       `yaml:"calls"`
	Limits   map[string]limit `yaml:"limits"`
}

type acmeIdentity struct {
	ClientID string `yaml:"client_id"`
}

type acmeCalls struct {
	config.Feed `yaml:",inline"`
	View        string `yaml:"view"`
}

type limit struct {
	Rows int `yaml:"rows"`
}

func (a *acme) SetDefaults() { a.Types = []string{"placed", "received"} }

func (a *acme) Validate(r *config.Report) {
	r.Required("tenant_id", a.TenantID, "the id of the directory")
	r.ExactlyOne("a credential", "client_secret", "managed_identity")
	r.BaseURL("base_url", a.BaseURL)
	r.AtLeastOne("a feed", "calls", "active_calls")
}

func (c *acmeCalls) SetDefaults() {
	c.Feed = config.Feed{Interval: 5 * time.Minute, Lookback: 72 * time.Hour, LateAfter: 6 * time.Hour}
	c.View = "detailed"
}

func (c *acmeCalls) Validate(r *config.Report) { r.OneOf("view", c.View, "simple", "detailed") }

func (l *limit) SetDefaults() { l.Rows = 7 }

// other is a second provider.
type other struct {
	Key config.Secret `yaml:"api_key"`
}

func (o *other) Validate(r *config.Report) { r.RequiredSecret("api_key", o.Key, "the key of the API") }

// options are the options of all tests: two providers and a fixed environment.
func options() config.Options {
	environment := map[string]string{
		"SET": "from-environment", "EMPTY": "", "NUMBER": "42", "LARGE": "4242", "TRUE": "true", "DURATION": "90m",
		"SECRET": "hunter2",
	}
	return config.Options{
		Providers: map[string]func() any{
			"acme":  func() any { return new(acme) },
			"other": func() any { return new(other) },
		},
		LookupEnv: func(name string) (string, bool) {
			value, ok := environment[name]
			return value, ok
		},
	}
}
