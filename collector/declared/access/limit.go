package access

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Limit is how many requests the provider allows, and what it does after one too many.
type Limit struct {
	Requests int           `yaml:"requests"`
	Per      time.Duration `yaml:"per"`
	// Penalty is how long a 429 without Retry-After stops all requests.
	Penalty time.Duration `yaml:"penalty"`
	// Headers is what the names of the headers with the current limit begin with; Group is the name
	// of the limit in them.
	Headers string `yaml:"headers"`
	Group   string `yaml:"group"`
}

// SetDefaults implements config.Defaulter.
func (l *Limit) SetDefaults() { l.Per = time.Minute }

// Validate implements config.Validator.
func (l *Limit) Validate(r *config.Report) {
	r.AtLeast("requests", int64(l.Requests), 1)
	r.DurationAtLeast("per", l.Per, time.Second)
	r.DurationAtLeast("penalty", l.Penalty, 0)
}

// Client is the limit as the client takes it.
func (l *Limit) Client() httpclient.Limit {
	return httpclient.Limit{
		Requests: l.Requests, Per: l.Per, Penalty: l.Penalty, HeaderPrefix: l.Headers, Group: l.Group,
	}
}
