package web

import (
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/access"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// HTTP says how to send requests to a provider. Its texts may name parameters in braces.
type HTTP struct {
	BaseURL           string            `yaml:"base_url" text:"plain"`
	Headers           map[string]string `yaml:"headers"  text:"secret"`
	Auth              access.Auth       `yaml:"auth"`
	RequestsPerMinute int               `yaml:"requests_per_minute"`
	Limit             *httpclient.Limit `yaml:"limit"`
	// RequestID is the header of an answer with an id to quote to the provider's support.
	RequestID string `yaml:"request_id"`
	// Errors explain refused answers.
	Errors Refusals `yaml:"errors"`
}

// describeErrors says what errors of a client repeat from refused answers.
func (h *HTTP) describeErrors(s *httpclient.Settings, title string) {
	if h.RequestID != "" {
		s.RequestIDHeaders = []string{h.RequestID}
	}
	if h.Errors.Code.IsSet() || h.Errors.Name.IsSet() {
		s.Quote = func(answer []byte) string { return h.Errors.quote(title, answer) }
	}
}

// Validate implements config.Validator.
func (h *HTTP) Validate(r *config.Report) {
	all := h.Auth.Choices
	if h.Auth.When != nil {
		r.Problemf("auth.when", "chooses one of a list; make auth a list")
	}
	for i, a := range all {
		key := fmt.Sprintf("auth[%d]", i)
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
