package access

import (
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
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
	Bearer string              `yaml:"bearer"`
	// Query has parameters that each request's address gets.
	Query  map[string]string `yaml:"query"`
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

// AddTexts adds the texts that may name secrets, by their keys, except those of oauth2.
func (a *Auth) AddTexts(all map[string]string) {
	a.addTexts(all, "auth")
	for i := range a.Choices {
		a.Choices[i].addTexts(all, fmt.Sprintf("auth[%d]", i))
	}
}

func (a *authKeys) addTexts(all map[string]string, key string) {
	all[key+".bearer"] = a.Bearer
	if b := a.Basic; b != nil {
		all[key+".basic.username"], all[key+".basic.password"] = b.Username, b.Password
	}
	language.AddKeys(all, key+".query", a.Query)
}

// Basic is HTTP basic authentication.
type Basic struct {
	Username string `yaml:"username"`
	Password string `yaml:"password"`
}

// OAuth2 gets a token with client credentials, or with another grant (RFC 6749).
type OAuth2 struct {
	TokenURL     string `yaml:"token_url"`
	ClientID     string `yaml:"client_id"`
	ClientSecret string `yaml:"client_secret"`
	// RefreshToken is exchanged for tokens; the provider may return its successor.
	RefreshToken string `yaml:"refresh_token"`
	// ClientIn says where the client's credentials go: header or body.
	ClientIn string            `yaml:"client_in"`
	Params   map[string]string `yaml:"params"`
	// Assertion is a signed token that is exchanged for tokens (RFC 7523).
	Assertion string `yaml:"assertion"`
	// SameAccount, if it isn't empty, accepts another user's assertion.
	SameAccount string `yaml:"same_account"`
	// Owner is the path of the user in the answer with a token.
	Owner language.Path `yaml:"owner"`
	// RevokeURL ends a token's session.
	RevokeURL string `yaml:"revoke_url"`
	// Limit is that of requests for tokens.
	Limit *Limit `yaml:"limit"`
}

// SetDefaults implements config.Defaulter.
func (o *OAuth2) SetDefaults() { o.ClientIn = "body" }

// Validate implements config.Validator.
func (o *OAuth2) Validate(r *config.Report) {
	r.Required("token_url", o.TokenURL, "the address for tokens; /… is relative to base_url")
	r.OneOf("client_in", o.ClientIn, "header", "body")
	if o.RefreshToken != "" {
		r.Required("client_secret", o.ClientSecret, "it encrypts the refresh token that the provider rotates")
	}
	r.NotBoth("the grant", "refresh_token", "assertion")
	for _, key := range []string{"same_account", "owner"} {
		if o.Assertion == "" && r.Given(key) {
			r.Problemf(key, "is for a signed token; set assertion, or remove it")
		}
	}
}
