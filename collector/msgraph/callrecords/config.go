package callrecords

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/subscriptions"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

const (
	// retention is how long Graph keeps call records.
	retention = 30 * 24 * time.Hour
	// longSettle is the longest settle that a short lookback allows. The ledger remembers a call
	// for at least longSettle after its end: it keeps ids for two days more than the lookback
	// (counting.md 5), and a meeting ends after 30 h.
	longSettle = 12 * time.Hour
)

// Config is the key `call_records`.
type Config struct {
	config.Feed `yaml:",inline"`

	// Settle is how long after a call's end its quality is counted, because clients report late.
	Settle time.Duration `yaml:"settle"`
	// Webhook turns on notifications of records, in addition to the list.
	Webhook *subscriptions.Webhook `yaml:"webhook"`
}

// SetDefaults implements config.Defaulter.
func (c *Config) SetDefaults() {
	c.Feed = config.Feed{Interval: 5 * time.Minute, Lookback: 72 * time.Hour, LateAfter: 3 * time.Hour}
	c.Settle = 90 * time.Minute
}

// Validate implements config.Validator, in addition to the rules for all feeds.
func (c *Config) Validate(r *config.Report) {
	c.KeptFor(r, retention)
	r.DurationAtLeast("settle", c.Settle, 0)
	if c.Settle > max(c.Lookback, longSettle) {
		r.Problemf("settle", "must be at most lookback (%s), or %s: later the ledger has forgotten the call",
			c.Lookback, longSettle)
	}
}
