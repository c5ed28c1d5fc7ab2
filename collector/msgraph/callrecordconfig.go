package msgraph

import (
	"net"
	"net/url"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// CallRecords is the feed of call records: calls and meetings of Teams with their
// sessions and media quality.
type CallRecords struct {
	config.Feed `yaml:",inline"`

	// Settle is how long after its end a call's quality is counted: clients report late.
	Settle time.Duration `yaml:"settle"`
	// Webhook makes Graph tell of records, beside the list.
	Webhook *Webhook `yaml:"webhook"`
}

// Webhook is where Graph sends its notifications.
type Webhook struct {
	// PublicURL is the address that Graph can reach. Its path is that of the listener.
	PublicURL string `yaml:"public_url"`
}

// longSettle is how long a call is known after its end at the least, however short the
// lookback is: ids are kept for two days more (counting.md 5), and a meeting ends after 30 h.
const longSettle = 12 * time.Hour

// SetDefaults implements config.Defaulter.
func (c *CallRecords) SetDefaults() {
	c.Feed = config.Feed{Interval: 5 * time.Minute, Lookback: 72 * time.Hour, LateAfter: 3 * time.Hour}
	c.Settle = 90 * time.Minute
}

// Validate implements config.Validator, beside the rules that all feeds have.
func (c *CallRecords) Validate(r *config.Report) {
	validateLookback(r, c.Lookback, callRecordRetention)
	r.DurationAtLeast("settle", c.Settle, 0)
	if c.Settle > max(c.Lookback, longSettle) {
		r.Problemf("settle", "must be at most lookback (%s), or %s: later the call isn't known any more", c.Lookback, longSettle)
	}
}

// Validate implements config.Validator.
func (w *Webhook) Validate(r *config.Report) {
	const want = "the https address that Graph reaches, with a path of its own, such as https://cdr.example.com/webhooks/contoso"
	u, err := url.Parse(w.PublicURL)
	switch {
	case w.PublicURL == "":
		r.Required("public_url", w.PublicURL, want)
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		r.Problemf("public_url", "must be %s, without user, query and fragment", want)
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		r.Problemf("public_url", "must be %s; plain http is for loopback only", want)
	case u.Path == "" || u.Path == "/":
		r.Problemf("public_url", "needs a path: it tells sources apart on the listener")
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
