package access

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Auth is how requests are authorized: at most one of these, or a list of which the first whose
// condition on the source's parameters is true is used.
type Auth struct {
	authKeys

	Choices []authKeys
}

type authKeys struct {
	When   *language.Condition `yaml:"when"`
	Basic  *Basic              `yaml:"basic"`
	Bearer string              `yaml:"bearer" text:"secret"`
	// Query has parameters that each request's address gets.
	Query  map[string]string `yaml:"query" text:"secret"`
	OAuth2 *OAuth2           `yaml:"oauth2"`
}

// DecodeNode implements config.NodeDecoder.
func (a *Auth) DecodeNode(n *config.Node) {
	if n.IsList() {
		n.Decode(&a.Choices)
	} else {
		n.Decode(&a.authKeys)
	}
}

// Validate implements config.Validator.
func (a *authKeys) Validate(r *config.Report) {
	ways := []string{"basic", "bearer", "query", "oauth2"}
	for i, one := range ways {
		for _, other := range ways[i+1:] {
			r.NotBoth("authorization", one, other)
		}
	}
}

// chosen is what a source with these parameters uses.
func (a *Auth) chosen(parameters map[string][]string) *authKeys {
	r := &language.Row{Parameters: parameters, Zone: time.UTC}
	for i := range a.Choices {
		if holds, _ := a.Choices[i].When.Holds(r); holds {
			return &a.Choices[i]
		}
	}
	return &a.authKeys
}

// Walk implements language.Walked.
func (a *Auth) Walk(string, func(string, any)) any {
	if a.Choices != nil {
		return &a.Choices
	}
	return &a.authKeys
}

// Basic is HTTP basic authentication.
type Basic struct {
	Username string `yaml:"username" text:"secret"`
	Password string `yaml:"password" text:"secret"`
}

// OAuth2 gets a token with client credentials, or with another grant (RFC 6749).
type OAuth2 struct {
	TokenURL     string `yaml:"token_url"     text:"plain"`
	ClientID     string `yaml:"client_id"     text:"secret"`
	ClientSecret string `yaml:"client_secret" text:"secret"`
	// RefreshToken is exchanged for tokens; the provider may return its successor.
	RefreshToken string `yaml:"refresh_token" text:"secret"`
	// ClientIn says where the client's credentials go: header or body.
	ClientIn string `yaml:"client_in"`
	// Format says how the request is written: form (RFC 6749), or json.
	Format string `yaml:"format"`
	// Query is the parameter of addresses that the token is sent in, in place of the header.
	Query  string            `yaml:"query" text:"plain"`
	Params map[string]string `yaml:"params"    text:"secret"`
	// Assertion is a signed token that is exchanged for tokens (RFC 7523).
	Assertion string `yaml:"assertion" text:"secret"`
	// SameAccount, if it isn't empty, accepts another user's assertion.
	SameAccount string `yaml:"same_account" text:"plain"`
	// Owner is the path of the user in the answer with a token.
	Owner language.Path `yaml:"owner"`
	// RevokeURL ends a token's session.
	RevokeURL string `yaml:"revoke_url" text:"plain"`
	// Limit is that of requests for tokens.
	Limit *httpclient.Limit `yaml:"limit"`
}

const jsonFormat = "json"

// SetDefaults implements config.Defaulter.
func (o *OAuth2) SetDefaults() { o.ClientIn, o.Format = "body", "form" }

// Validate implements config.Validator.
func (o *OAuth2) Validate(r *config.Report) {
	r.Required("token_url", o.TokenURL, "the address for tokens; /… is relative to base_url")
	r.OneOf("client_in", o.ClientIn, "header", "body")
	r.OneOf("format", o.Format, "form", jsonFormat)
	if o.RefreshToken != "" {
		r.Required("client_secret", o.ClientSecret, "it encrypts the refresh token that the provider rotates")
	}
	r.NotBoth("the grant", "refresh_token", "assertion")
	if o.Assertion == "" {
		r.Refuse([]string{"same_account", "owner"}, "is for a signed token; set assertion, or remove it")
	}
}
