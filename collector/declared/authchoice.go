package declared

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

	choices []authKeys
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
		n.Decode(&a.choices)
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

// validateAuth reports choices that can't be made by a source's parameters.
func (d *Definition) validateAuth(r *config.Report) {
	all := d.HTTP.Auth.choices
	if d.HTTP.Auth.When != nil {
		r.Problemf("http.auth.when", "chooses one of a list; make auth a list")
	}
	for i, a := range all {
		key := fmt.Sprintf("http.auth[%d]", i)
		d.validateNames(r, key+".when", a.When.Parameters())
		switch {
		case a.OAuth2 != nil:
			r.Problemf(key+".oauth2", "can't be one of several; remove the others")
		case a.When == nil && i < len(all)-1:
			r.Problemf(key, "has no when, so the ones after it are never used; add when, or put it last")
		case a.When != nil && !a.When.OnlyParameters():
			r.Problemf(key+".when", "must compare the source's parameters, such as {parameter.auth: query}")
		}
	}
}

// chosen is what a source with these parameters uses.
func (a *Auth) chosen(parameters map[string][]string) *authKeys {
	r := &language.Row{Parameters: parameters, Zone: time.UTC}
	for i := range a.choices {
		if holds, _ := a.choices[i].When.Holds(r); holds {
			return &a.choices[i]
		}
	}
	return &a.authKeys
}

// addTexts adds the texts that may name secrets, by their keys, except those of oauth2.
func (a *Auth) addTexts(all map[string]string) {
	a.authKeys.addTexts(all, "auth")
	for i := range a.choices {
		a.choices[i].addTexts(all, fmt.Sprintf("auth[%d]", i))
	}
}

func (a *authKeys) addTexts(all map[string]string, key string) {
	all[key+".bearer"] = a.Bearer
	if b := a.Basic; b != nil {
		all[key+".basic.username"], all[key+".basic.password"] = b.Username, b.Password
	}
	addKeys(all, key+".query", a.Query)
}
