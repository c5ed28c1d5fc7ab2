package ringcentral

import (
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

const (
	defaultBaseURL  = "https://platform.ringcentral.com"
	defaultCurrency = "USD"

	// retention is how long RingCentral keeps the call log of most accounts.
	retention = 365 * 24 * time.Hour
)

// The scopes: whose calls are read.
const (
	scopeAccount   = "account"
	scopeExtension = "extension"
)

// accountSame says that a new user's JWT is of the same account as before.
const accountSame = "same"

// The views: how much RingCentral says of a call.
const (
	viewDetailed = "detailed"
	viewSimple   = "simple"
)

// wireSimple is the view simple as the API writes it.
const wireSimple = "Simple"

var (
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
	apiPath      = regexp.MustCompile(`/restapi(/v1\.0)?/?$`)
)

// Config is the block `ringcentral` of a source, as the user wrote it.
type Config struct {
	// BaseURL is the platform: RingCentral's own, its sandbox, or a partner's.
	BaseURL string `yaml:"base_url"`
	// ClientID and ClientSecret are the app's.
	ClientID     string        `yaml:"client_id" ask:"Client ID of the app"`
	ClientSecret config.Secret `yaml:"client_secret" ask:"Client secret of the app"`
	// JWT is the user's signed token, which is exchanged for access tokens.
	JWT config.Secret `yaml:"jwt" ask:"JWT credential of the user whose rights count"`
	// Account is `same` to accept JWTs of other users of the account that is counted already.
	Account string `yaml:"account"`
	// Scope is whose calls are read: all of the account, or the JWT's own user's.
	Scope string `yaml:"scope"`
	// Currency is that of the account's prices: the call log doesn't say it.
	Currency string `yaml:"currency"`

	CallLog     *CallLog            `yaml:"call_log" ask:"The call log: calls that have ended"`
	ActiveCalls *config.ActiveCalls `yaml:"active_calls" ask:"Calls in progress"`
}

// CallLog is the feed of the call log.
type CallLog struct {
	config.Feed `yaml:",inline"`
	// Legs are for the log of an extension, where a session is listed once per view of it: an account's rows are whole calls.
	config.Legs `yaml:",inline"`
	// View is detailed, with legs, or simple.
	View string `yaml:"view"`
	// Queues asks for the account's queues too, so that callers' visits to them are counted.
	Queues bool `yaml:"queues"`
	// MachineLegTypes are the types of legs that a machine answers, such as a menu: which ones RingCentral gives to menus isn't documented.
	MachineLegTypes []string `yaml:"machine_leg_types"`
}

// SetDefaults implements config.Defaulter.
func (c *Config) SetDefaults() {
	c.BaseURL, c.Scope, c.Currency = defaultBaseURL, scopeAccount, defaultCurrency
}

// SetDefaults implements config.Defaulter.
func (l *CallLog) SetDefaults() {
	l.Feed = config.Feed{Interval: time.Minute, Lookback: 48 * time.Hour, LateAfter: time.Hour}
	l.Legs.SetDefaults()
	l.Settle = 10 * time.Minute
	l.View = viewDetailed
	l.MachineLegTypes = []string{"IvaCall", "CallPark", "ParkLocation", "PagingServer"}
}

// Validate implements config.Validator.
func (c *Config) Validate(r *config.Report) {
	r.Required("base_url", c.BaseURL, "the platform, such as "+defaultBaseURL)
	r.BaseURL("base_url", c.BaseURL)
	if u, err := url.Parse(c.BaseURL); err == nil && apiPath.MatchString(u.Path) {
		r.Problemf("base_url", "must end before the API: leave %s out", apiPath.FindString(u.Path))
	}
	r.Required("client_id", c.ClientID, "the client id of the app")
	r.RequiredSecret("client_secret", c.ClientSecret, "the client secret of the app")
	r.RequiredSecret("jwt", c.JWT, "the JWT credential of the user whose calls are read, or of an administrator")
	r.OneOf("scope", c.Scope, scopeAccount, scopeExtension)
	switch {
	case c.Account == "":
	case c.Account != accountSame:
		r.Problemf("account", "must be %s, or left out", accountSame)
	case c.Scope == scopeExtension:
		r.Problemf("account", "is for scope: account alone: another user has other calls; give that user's calls a source of their own")
	}
	if l := c.CallLog; l != nil && l.Queues && (c.Scope != scopeAccount || strings.EqualFold(l.View, viewSimple)) {
		r.Problemf("call_log.queues", "needs scope: account and view: detailed, whose legs tell of queues; leave it out for others")
	}
	if !currencyCode.MatchString(c.Currency) {
		r.Problemf("currency", "must be a code of ISO 4217, such as %s", defaultCurrency)
	}
	r.AtLeastOne("a feed", "call_log", "active_calls")
}

// Validate implements config.Validator, beside the rules that all feeds have.
func (l *CallLog) Validate(r *config.Report) {
	r.OneOf("view", l.View, viewDetailed, viewSimple)
	l.KeptFor(r, retention)
}

// path is where the API has what belongs to the scope.
func (c *Config) path(resource string) string {
	if c.Scope == scopeExtension {
		return "restapi/v1.0/account/~/extension/~/" + resource
	}
	return "restapi/v1.0/account/~/" + resource
}

// machines are the types of legs that a machine answers, as folded writes them.
func (l *CallLog) machines() (all []string) {
	for _, kind := range l.MachineLegTypes {
		all = append(all, folded(kind))
	}
	return all
}

// wire is a view as the API writes it.
func (l *CallLog) wire() string {
	if strings.EqualFold(l.View, viewSimple) {
		return wireSimple
	}
	return "Detailed"
}
