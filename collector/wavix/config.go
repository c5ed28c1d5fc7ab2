package wavix

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

const defaultBaseURL = "https://api.wavix.com"

// The ways to send the key.
const (
	authBearer = "bearer"
	authQuery  = "query"
)

// The formats of the call log.
const (
	formatJSON   = "json"
	formatStream = "stream"
	formatCSV    = "csv"
)

// The types of calls. A request lists one type, and no row has its type.
const (
	kindPlaced   = "placed"
	kindReceived = "received"
)

// Config is the block `wavix` of a source.
type Config struct {
	// BaseURL is the API's address, without a version.
	BaseURL string `yaml:"base_url"`
	// APIKey is the account's key.
	APIKey config.Secret `yaml:"api_key" ask:"API key of the account (Administration, API Keys)"`
	// Auth is how the key is sent: bearer is a header, query the older parameter appid.
	Auth string `yaml:"auth"`
	// Format is the format of the call log: json (pages), stream (one row a line) or csv (older
	// accounts only).
	Format string `yaml:"format"`
	// Currency is the currency of all prices, which don't name one.
	Currency string `yaml:"currency"`

	CallLog     *CallLog            `yaml:"call_log" ask:"The call detail records of calls placed and received"`
	ActiveCalls *config.ActiveCalls `yaml:"active_calls" ask:"Calls in progress"`
}

// CallLog is the feed of the call detail records.
type CallLog struct {
	config.Feed `yaml:",inline"`
	config.Legs `yaml:",inline"`
	// Types are the types of calls to read: placed, received.
	Types []string `yaml:"types"`
}

// SetDefaults implements config.Defaulter.
func (c *Config) SetDefaults() {
	c.BaseURL, c.Auth, c.Format, c.Currency = defaultBaseURL, authBearer, formatJSON, "USD"
}

// SetDefaults implements config.Defaulter.
func (c *CallLog) SetDefaults() {
	c.Feed = config.Feed{Interval: time.Minute, Lookback: 48 * time.Hour, LateAfter: time.Hour}
	c.Legs.SetDefaults()
	c.Settle = 10 * time.Minute // between the rows of a forwarded call; an estimate
	c.Types = []string{kindPlaced, kindReceived}
}

var (
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
	versionPath  = regexp.MustCompile(`/v\d+/?$`)
)

// Validate implements config.Validator.
func (c *Config) Validate(r *config.Report) {
	r.Required("base_url", c.BaseURL, "the API's address, such as "+defaultBaseURL)
	r.BaseURL("base_url", c.BaseURL)
	if u, err := url.Parse(c.BaseURL); err == nil && versionPath.MatchString(u.Path) {
		r.Problemf("base_url", "must not contain the API version: remove %s", versionPath.FindString(u.Path))
	}
	r.RequiredSecret("api_key", c.APIKey, "the key of the account (Administration, API Keys)")
	r.OneOf("auth", c.Auth, authBearer, authQuery)
	r.OneOf("format", c.Format, formatJSON, formatStream, formatCSV)
	if !currencyCode.MatchString(c.Currency) {
		r.Problemf("currency", "must be a currency of three capital letters (ISO 4217), such as USD")
	}
	r.AtLeastOne("a feed", "call_log", "active_calls")
}

// Validate implements config.Validator, in addition to the rules for all feeds.
func (c *CallLog) Validate(r *config.Report) {
	if len(c.Types) == 0 {
		r.Problemf("types", "is empty; set %s, %s or both", kindPlaced, kindReceived)
	}
	for i, kind := range c.Types {
		key := fmt.Sprintf("types[%d]", i)
		r.OneOf(key, kind, kindPlaced, kindReceived)
		if slices.Contains(c.Types[:i], kind) {
			r.Problemf(key, "is given twice")
		}
	}
}

// kinds are the types in the order of reading. A forwarded call is received; it comes before its
// leg, which is placed.
func (c *CallLog) kinds() []string {
	kinds := slices.Sorted(slices.Values(c.Types))
	slices.Reverse(kinds)
	return kinds
}
