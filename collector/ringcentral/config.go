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

// accountSame says that another user's JWT belongs to the same account as before.
const accountSame = "same"

// The views: how much detail RingCentral returns.
const (
	viewDetailed = "detailed"
	viewSimple   = "simple"
)

// wireSimple is the view simple in the API's spelling.
const wireSimple = "Simple"

var (
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
	apiPath      = regexp.MustCompile(`/restapi(/v1\.0)?/?$`)
)

// Config is the block `ringcentral` of a source.
type Config struct {
	// BaseURL is the platform: RingCentral's own, its sandbox, or a partner's.
	BaseURL string `yaml:"base_url"`
	// ClientID and ClientSecret are the app's credentials.
	ClientID     string        `yaml:"client_id" ask:"Client ID of the app"`
	ClientSecret config.Secret `yaml:"client_secret" ask:"Client secret of the app"`
	// JWT is the user's signed token, which is exchanged for access tokens.
	JWT config.Secret `yaml:"jwt" ask:"JWT credential of the user whose rights count"`
	// Account is `same` to accept JWTs of other users of the same account.
	Account string `yaml:"account"`
	// Scope is whose calls are read: the whole account's, or those of the JWT's user.
	Scope string `yaml:"scope"`
	// Currency is the currency of the account's prices; the call log doesn't have it.
	Currency string `yaml:"currency"`

	CallLog     *CallLog            `yaml:"call_log" ask:"The call log: calls that have ended"`
	ActiveCalls *config.ActiveCalls `yaml:"active_calls" ask:"Calls in progress"`
}

// CallLog is the feed of the call log.
type CallLog struct {
	config.Feed `yaml:",inline"`
	// Legs only applies to the log of an extension, which lists a session once per view of it. An
	// account's rows are whole calls.
	config.Legs `yaml:",inline"`
	// View is detailed, with legs, or simple.
	View string `yaml:"view"`
	// Queues also reads the account's queues, so that callers' visits to them are counted.
	Queues bool `yaml:"queues"`
	// MachineLegTypes are the types of legs that a machine answers, such as a menu: RingCentral
	// doesn't document which types menus have.
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
		r.Problemf("base_url", "must not contain the API path: remove %s", apiPath.FindString(u.Path))
	}
	r.Required("client_id", c.ClientID, "the client id of the app")
	r.RequiredSecret("client_secret", c.ClientSecret, "the client secret of the app")
	r.RequiredSecret("jwt", c.JWT, "the JWT credential of the user whose calls are read, or of an administrator")
	r.OneOf("scope", c.Scope, scopeAccount, scopeExtension)
	switch {
	case c.Account == "":
	case c.Account != accountSame:
		r.Problemf("account", "must be %s, or unset", accountSame)
	case c.Scope == scopeExtension:
		r.Problemf("account", "only works with scope: account, because another user has other calls; "+
			"configure a separate source for that user")
	}
	if l := c.CallLog; l != nil && l.Queues && (c.Scope != scopeAccount || strings.EqualFold(l.View, viewSimple)) {
		r.Problemf("call_log.queues", "needs scope: account and view: detailed, whose legs have the queues; remove it")
	}
	if !currencyCode.MatchString(c.Currency) {
		r.Problemf("currency", "must be an ISO 4217 code, such as %s", defaultCurrency)
	}
	r.AtLeastOne("a feed", "call_log", "active_calls")
}

// Validate implements config.Validator, in addition to the rules for all feeds.
func (l *CallLog) Validate(r *config.Report) {
	r.OneOf("view", l.View, viewDetailed, viewSimple)
	l.KeptFor(r, retention)
}

// path is the API's path for the scope.
func (c *Config) path(resource string) string {
	if c.Scope == scopeExtension {
		return "restapi/v1.0/account/~/extension/~/" + resource
	}
	return "restapi/v1.0/account/~/" + resource
}

// machines are the types of legs that a machine answers, folded.
func (l *CallLog) machines() (all []string) {
	for _, kind := range l.MachineLegTypes {
		all = append(all, folded(kind))
	}
	return all
}

// wire is a view in the API's spelling.
func (l *CallLog) wire() string {
	if strings.EqualFold(l.View, viewSimple) {
		return wireSimple
	}
	return "Detailed"
}
