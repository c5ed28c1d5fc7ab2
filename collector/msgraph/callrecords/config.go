package callrecords

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/subscriptions"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

const (
	// retention is how long Graph keeps call records.
	retention = 30 * 24 * time.Hour
	// longSettle is how long a call stays known after its end at the least, however short the lookback is: ids are kept for two days more
	// (counting.md 5), and a meeting ends after 30 h.
	longSettle = 12 * time.Hour
)

// Config is the key `call_records`.
type Config struct {
	config.Feed `yaml:",inline"`

	// Settle is how long after its end a call's quality is counted: clients report late.
	Settle time.Duration `yaml:"settle"`
	// Webhook turns on notifications of records, beside the list.
	Webhook *subscriptions.Webhook `yaml:"webhook"`
}

// SetDefaults implements config.Defaulter.
func (c *Config) SetDefaults() {
	c.Feed = config.Feed{Interval: 5 * time.Minute, Lookback: 72 * time.Hour, LateAfter: 3 * time.Hour}
	c.Settle = 90 * time.Minute
}

// Validate implements config.Validator, beside the rules that all feeds have.
func (c *Config) Validate(r *config.Report) {
	c.KeptFor(r, retention)
	r.DurationAtLeast("settle", c.Settle, 0)
	if c.Settle > max(c.Lookback, longSettle) {
		r.Problemf("settle", "must be at most lookback (%s), or %s: later the call isn't known any more", c.Lookback, longSettle)
	}
}
